package server

import (
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"sync"

	"multiserver/proxy"
	"multiserver/proxy/config"
	"multiserver/proxy/logline"
	"multiserver/proxy/sink"
)

// accessLog is one that lines go to. nil is none.
type accessLog struct {
	*proxy.Log
	sink sink.Sink
}

// accessLogs are the one there is, and what is known of those before.
type accessLogs struct {
	mu   sync.Mutex
	now  *accessLog // guarded by mu, but for who may reload
	had  bool       // guarded by mu; there is one, or was
	past [logline.Losses]uint64

	leaving []*accessLog // guarded by mu; those before, up to their last line
}

func (s *Server) openLog() (err error) {
	s.lines.now, err = s.newLog(&s.conf.AccessLog)
	s.lines.had = s.lines.now != nil
	return err
}

func (s *Server) newLog(c *config.AccessLog) (l *accessLog, err error) {
	if !c.On() {
		return nil, nil
	}
	l = new(accessLog)
	switch {
	case c.Syslog.Addr != "":
		l.sink = sink.Dial(c.Syslog.Network, c.Syslog.Addr, c.Local)
	case c.File == "-":
		l.sink = sink.Stdout{}
	default:
		if l.sink, err = sink.Append(c.File); err != nil {
			return nil, fmt.Errorf("--access-log: %w", err)
		}
	}
	l.Log = proxy.NewLog(&watched{Sink: l.sink, log: s.log}, proxy.LogForm{
		JSON:    c.Form == "json",
		Fields:  c.Fields,
		Sample:  c.Sample,
		Secrets: c.Secrets,
	})
	return l, nil
}

// close has what has gathered written. A sink whose writer is stuck is left.
func (l *accessLog) close(log *slog.Logger) {
	if l == nil {
		return
	}
	if err := l.Close(); err != nil {
		log.Error("access log not closed", "cause", err)
		return
	}
	_ = l.sink.Close()
}

// planLog opens what c has, unless it is what there is. Called with the reloads'
// mu held, as is changeLog.
func (s *Server) planLog(c *config.Config) (*accessLog, error) {
	if reflect.DeepEqual(c.AccessLog, s.reloads.conf.AccessLog) {
		return s.lines.now, nil
	}
	return s.newLog(&c.AccessLog)
}

// changeLog has lines go to l from here on. Those that wait are written to the
// one before; nobody waits for that.
func (s *Server) changeLog(l *accessLog) {
	a := &s.lines
	old := a.now
	if old == l {
		return
	}
	a.mu.Lock()
	a.now, a.had = l, true
	if old != nil {
		a.leaving = append(a.leaving, old)
	}
	a.mu.Unlock()
	s.proxy.SetLines(a.log())
	if old != nil {
		s.work.wg.Go(func() {
			old.close(s.log)
			a.leave(old)
		})
	}
}

// leave keeps of one that is closed what it has lost.
func (a *accessLogs) leave(old *accessLog) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leaving = slices.DeleteFunc(a.leaving, func(l *accessLog) bool { return l == old })
	for why := range a.past {
		a.past[why] += old.Lost(logline.Loss(why))
	}
}

// log is the one there is.
func (a *accessLogs) log() *proxy.Log {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return nil
	}
	return a.now.Log
}

// lost counts the lines that were never written, by why; nil: there never was a log.
func (a *accessLogs) lost() []uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.had {
		return nil
	}
	all := a.past
	for _, l := range append(a.leaving[:len(a.leaving):len(a.leaving)], a.now) {
		for why := range all {
			if l != nil {
				all[why] += l.Lost(logline.Loss(why))
			}
		}
	}
	return all[:]
}

// Reopen opens the access log's file anew, as whoever has moved it away wants
// it. It may be called at any time from any goroutine.
func (s *Server) Reopen() {
	s.lines.mu.Lock()
	defer s.lines.mu.Unlock()
	if s.lines.now == nil {
		return
	}
	if err := s.lines.now.sink.Reopen(); err != nil {
		s.log.Error("access log not opened anew, lines go to the old file", "cause", err)
		return
	}
	s.log.Info("access log opened anew")
}

// watched tells the operator when lines begin to be lost, and when that is
// over: a full disk is seen nowhere else as long as requests go well.
type watched struct {
	sink.Sink
	log     *slog.Logger
	failing bool // of the goroutine that writes
}

func (w *watched) Write(lines []byte) (int, error) {
	n, err := w.Sink.Write(lines)
	switch {
	case err != nil && !w.failing:
		w.log.Error("access log not written, its lines are lost", "cause", err)
	case err == nil && w.failing:
		w.log.Info("access log is written again", "lost", "see multiserver_log_dropped_total")
	}
	w.failing = err != nil
	return n, err
}
