package server

import (
	"fmt"
	"log/slog"

	"multiserver/proxy"
	"multiserver/proxy/sink"
)

func (s *Server) openLog() (err error) {
	c := &s.conf.AccessLog
	if !c.On() {
		return nil
	}
	switch {
	case c.Syslog.Addr != "":
		s.sink = sink.Dial(c.Syslog.Network, c.Syslog.Addr, c.Local)
	case c.File == "-":
		s.sink = sink.Stdout{}
	default:
		if s.sink, err = sink.Append(c.File); err != nil {
			return fmt.Errorf("--access-log: %w", err)
		}
	}
	s.opened = append(s.opened, s.sink)
	s.lines = proxy.NewLog(&watched{Sink: s.sink, log: s.log}, proxy.LogForm{
		JSON:    c.Form == "json",
		Fields:  c.Fields,
		Sample:  c.Sample,
		Secrets: c.Secrets,
	})
	return nil
}

// Reopen opens the access log's file anew, as whoever has moved it away wants
// it. It may be called at any time from any goroutine.
func (s *Server) Reopen() {
	if s.sink == nil {
		return
	}
	if err := s.sink.Reopen(); err != nil {
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
