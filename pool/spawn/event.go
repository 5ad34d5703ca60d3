package spawn

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Event is something that happened to an instance, or to all of an app.
type Event struct {
	Seq      uint64    `json:"seq"` // counts from 1, without a gap
	Time     time.Time `json:"time"`
	Kind     Kind      `json:"event"`
	App      string    `json:"app"`
	Instance int       `json:"instance"` // -1: all
	PID      int       `json:"pid,omitempty"`
	Addr     string    `json:"addr,omitempty"`
	Cause    string    `json:"cause,omitempty"`
	Detail   string    `json:"detail,omitempty"` // for a person
}

// Kind is what happened.
type Kind string

// The kinds of events.
const (
	Boot       Kind = "boot"        // a process was started
	Ready      Kind = "ready"       // it gets requests
	Crashed    Kind = "crash"       // it ended by itself, or never got ready
	Restart    Kind = "restart"     // another is about to take its place
	Stop       Kind = "stop"        // it ended as it was told
	Rolled     Kind = "rolled"      // all have been replaced
	RollFailed Kind = "roll-failed" // a new release did not get ready, the old one stays
)

// Cause is why a process ended.
type Cause uint8

// The causes, which are also a metric's labels.
const (
	Crash      Cause = iota // it ended by itself
	NotStarted              // there never was a process
	NeverReady              // it took no connection in time
	Memory                  // it held too much
	Age                     // it was old
	Requests                // it had answered enough
	Roll                    // somebody asked for a rolling restart
	Changed                 // a watched file is another
	Scaled                  // it was one too many
	Stopped                 // the server stops
	Causes                  // how many there are
)

var causes = [Causes]string{"crash", "not-started", "never-ready", "memory", "age", "requests", "roll", "changed", "scaled", "stopped"}

func (c Cause) String() string { return causes[c] }

// Events hands events on to whoever listens. The zero value is ready.
type Events struct {
	// Dropped counts events that a listener was too slow for.
	Dropped atomic.Uint64

	mu   sync.Mutex
	last uint64                  // guarded by mu
	to   map[chan Event]struct{} // guarded by mu
}

// backlog is how many events wait for a listener: more than a roll of a
// hundred instances makes at once.
const backlog = 256

// Listen returns events as they come, until end is called. Whoever is slower
// than they come loses some, which Seq shows.
func (e *Events) Listen() (from <-chan Event, end func()) {
	c := make(chan Event, backlog)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.to == nil {
		e.to = make(map[chan Event]struct{})
	}
	e.to[c] = struct{}{}
	return c, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.to, c)
	}
}

func (e *Events) post(v Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last++
	v.Seq = e.last
	for c := range e.to {
		select {
		case c <- v:
		default:
			e.Dropped.Add(1)
		}
	}
}

// post tells the log and all who listen.
func (a *App) post(e Event) {
	e.Time = time.Now()
	level, attrs := slog.LevelInfo, []any{"app", e.App}
	switch e.Kind {
	case Crashed:
		level = slog.LevelWarn
	case RollFailed:
		level = slog.LevelError
	}
	if e.Instance >= 0 {
		attrs = append(attrs, "instance", e.Instance)
	}
	if e.PID > 0 {
		attrs = append(attrs, "pid", e.PID)
	}
	for _, s := range []struct{ key, value string }{{"addr", e.Addr}, {"cause", e.Cause}, {"why", e.Detail}} {
		if s.value != "" {
			attrs = append(attrs, s.key, s.value)
		}
	}
	a.opt.Log.Log(context.Background(), level, "instance "+string(e.Kind), attrs...)
	a.opt.Events.post(e)
}
