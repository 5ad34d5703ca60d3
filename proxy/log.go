package proxy

import (
	"io"
	"math/rand/v2"
	"time"

	"multiserver/proxy/logline"
)

// Log is the access log: lines that wait to be written, and what they say.
type Log struct {
	*logline.Queue
	form  form
	clock logline.Clock
}

// NewLog has the lines of exchanges written to w, in the form f, until Close; w is
// as with logline.NewQueue.
func NewLog(w io.Writer, f LogForm) *Log {
	return &Log{Queue: logline.NewQueue(w), form: compile(f)}
}

// SetLines has exchanges that end from here on written to l, and gives the log
// before, which the caller closes; nil: none. From none to one it is only where
// Options.LinesLater has said so.
func (p *Proxy) SetLines(l *Log) (before *Log) { return p.lines.Swap(l) }

// logLine writes an exchange, which has ended at now, to the access log. One
// that is closed meanwhile has another in its place, or none.
func (p *Proxy) logLine(x *Exchange, now time.Duration) {
	for l := p.lines.Load(); l != nil && !l.line(x, now); {
		next := p.lines.Load()
		if next == l {
			l.Late()
			return
		}
		l = next
	}
}

// line tells whether that is done: false, if the log is closed.
func (l *Log) line(x *Exchange, now time.Duration) bool {
	if !l.form.wants(x) {
		return true
	}
	m := moment{Second: l.clock.At(now), at: now}
	if x.start != 0 {
		m.took = now - x.start
	}
	b := x.buffer(len(x.Req.Raw))
	if l.form.json {
		b = l.form.appendJSON(b, x, m)
	} else {
		b = l.form.appendCombined(b, x, m)
	}
	x.out = b
	return l.Take(b)
}

// wants tells whether there is to be a line: always for what went wrong, for
// one of a sample of the rest.
func (f *form) wants(x *Exchange) bool {
	return f.sample < 2 || !x.went() || rand.N(f.sample) == 0
}

// went tells whether it went well: the client has an answer, and no complaint.
func (x *Exchange) went() bool { return x.status >= 100 && x.status < 400 && !x.broken }
