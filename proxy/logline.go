package proxy

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

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
			l.lost[LostLate].Add(1)
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
	m := moment{stamp: l.stamp(now), at: now}
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
	return l.take(b)
}

// wants tells whether there is to be a line: always for what went wrong, for
// one of a sample of the rest.
func (f *form) wants(x *Exchange) bool {
	return f.sample < 2 || !x.went() || rand.N(f.sample) == 0
}

// went tells whether it went well: the client has an answer, and no complaint.
func (x *Exchange) went() bool { return x.status >= 100 && x.status < 400 && !x.broken }

// appendJSON writes an object, without the fields that have nothing to say. How
// many exchanges a line of a sample stands for is its last one.
func (f *form) appendJSON(b []byte, x *Exchange, m moment) []byte {
	at := len(b)
	for i := range f.fields {
		c := &f.fields[i]
		before := len(b)
		b = append(b, c.key...)
		if c.quoted {
			b = append(b, '"')
		}
		from := len(b)
		if b = c.append(b, x, m); len(b) == from {
			b = b[:before]
			continue
		}
		if c.quoted {
			b = append(quote(b, from, true), '"')
		}
	}
	if f.sample > 1 && x.went() {
		b = strconv.AppendInt(append(b, `,"sample":`...), int64(f.sample), 10)
	}
	if len(b) == at {
		return append(b, "{}\n"...)
	}
	b[at] = '{' // in place of the first comma
	return append(b, "}\n"...)
}

// appendCombined writes the combined form that log tools know, then the fields
// as words; - stands for nothing.
//
//	127.0.0.1 - - [22/Nov/2026:18:02:00 +0000] "GET / HTTP/1.1" 200 1024 "-" "curl/8.5" upstream=http://10.0.0.7:3001 duration=0.004112 tries=1 cache=uri-miss id=…
func (f *form) appendCombined(b []byte, x *Exchange, m moment) []byte {
	b = appendWord(b, appendClient, x, m)
	b = append(append(append(b, " - - ["...), m.clf...), `] "`...)
	b = append(append(b, x.Req.Method...), ' ')
	b = appendWord(b, f.uri, x, m)
	b = append(appendProtocol(append(b, ' '), x, m), `" `...)
	b = append(strconv.AppendInt(b, int64(x.status), 10), ' ')
	b = append(strconv.AppendInt(b, x.sent, 10), ` "`...)
	b = append(appendWord(b, f.referer, x, m), `" "`...)
	b = append(appendWord(b, f.agent, x, m), '"')
	for i := range f.fields {
		c := &f.fields[i]
		b = append(b, c.key...)
		from := len(b)
		b = appendWord(b, c.append, x, m)
		if c.quoted && bytes.IndexByte(b[from:], ' ') >= 0 {
			b = append(slices.Insert(b, from, '"'), '"')
		}
	}
	return append(b, '\n')
}

func appendWord(b []byte, v value, x *Exchange, m moment) []byte {
	from := len(b)
	if b = v(b, x, m); len(b) == from {
		return append(b, '-')
	}
	return quote(b, from, false)
}
