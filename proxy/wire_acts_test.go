package proxy_test

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// acts plays a line like "client: pause 20ms".
func (st *stage) acts(p *player, actor, text string) error {
	verb, arg, _ := strings.Cut(text, " ")
	if p.conn == nil && verb != "nothing" && verb != "down" && verb != "up" && verb != "pause" {
		return fmt.Errorf("%s has no connection yet", actor)
	}
	var d time.Duration
	switch verb {
	case "pause", "drip", "quiet":
		var err error
		if d, err = time.ParseDuration(arg); err != nil {
			return err
		}
	}
	switch text {
	case "connect": // done by being mentioned
	case "close":
		p.conn.closeSoon()
	case "half-close":
		p.conn.halfClose()
	case "reset":
		p.conn.reset()
	case "stop reading":
		p.conn.listen(false)
	case "read again":
		p.conn.listen(true)
	case "down":
		return st.down()
	case "up":
		return st.open(st.origin)
	case "stuck":
		return st.stuck(p.conn)
	case "open":
		return st.quiet(p.conn, silence)
	case "closed", "gone":
		return st.ends(p, text == "closed")
	case "ends":
		return st.endsSomehow(p)
	case "nothing":
		return st.nothing()
	case "nothing whole":
		return st.nothingWhole()
	case "same connection", "new connection":
		if same := p.conn == p.before; same != (text == "same connection") {
			return fmt.Errorf("want a %s for the second request", text)
		}
	default:
		switch verb {
		case "pause":
			time.Sleep(d)
		case "drip":
			p.drip = d
		case "quiet":
			return st.quiet(p.conn, d)
		default:
			return fmt.Errorf("unknown action: %q", text)
		}
	}
	return nil
}

// until waits for ok to become true, for d at most.
func (st *stage) until(d time.Duration, ok func() bool) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for !ok() {
		select {
		case <-st.news:
		case <-timer.C:
			return ok()
		}
	}
	return true
}

func (st *stage) quiet(c *wireConn, d time.Duration) error {
	data, end := c.unread()
	st.until(d, func() bool { data, end = c.unread(); return len(data) > 0 || end != nil })
	switch {
	case len(data) > 0:
		return fmt.Errorf("want silence, got %s", quoted(data))
	case end != nil:
		return fmt.Errorf("want it open, but: %v", end)
	}
	return nil
}

// stuck: what was sent cannot all be written, because the proxy has stopped
// reading. The kernel's buffers and the proxy's have to fill up first.
func (st *stage) stuck(c *wireConn) error {
	for before := int64(-1); ; time.Sleep(5 * silence) {
		now := c.unsent.Load()
		if now == 0 {
			return errors.New("the proxy took everything, though nobody takes it from there")
		}
		if now == before {
			return nil
		}
		before = now
	}
}

func (st *stage) ends(p *player, clean bool) error {
	data, end := p.conn.unread()
	if !st.until(patience, func() bool { data, end = p.conn.unread(); return len(data) > 0 || end != nil }) {
		return errors.New("the connection stays open")
	}
	switch {
	case len(data) > 0:
		return fmt.Errorf("want the end of the connection, got %s", quoted(data))
	case clean && !cleanEnd(end):
		return fmt.Errorf("want a clean end of the connection: %v", end)
	}
	return nil
}

// endsSomehow reads over whatever still comes before the end.
func (st *stage) endsSomehow(p *player) error {
	ended := st.until(patience, func() bool {
		data, end := p.conn.unread()
		p.conn.skip(len(data))
		return end != nil
	})
	if !ended {
		return errors.New("the connection stays open")
	}
	return nil
}

// nothing: no byte that the script has not seen reaches the origin.
func (st *stage) nothing() error {
	var stray *wireConn
	if st.until(silence, func() bool { stray = st.waiting(""); return stray != nil }) {
		data, _ := stray.unread()
		return fmt.Errorf("this reached the origin: %s", quoted(data))
	}
	return nil
}

// nothingWhole lets pass what began to arrive at the origin, as long as the
// origin can tell that it is not a complete request.
func (st *stage) nothingWhole() error {
	st.parts = true
	for name, p := range st.cast {
		if !isClient(name) && p.msg != nil && st.arrived(p) {
			return fmt.Errorf("the whole of %q reached the origin", p.msg.start)
		}
	}
	for {
		var c *wireConn
		if !st.until(silence, func() bool { c = st.waiting(""); return c != nil }) {
			return nil
		}
		m, err := st.head(c, true)
		for err == nil && !m.done {
			err = st.pull(c, m)
		}
		if err == nil {
			return fmt.Errorf("a whole request reached the origin: %q with the body %s", m.start, quoted(m.body))
		}
		data, _ := c.unread()
		c.skip(len(data))
	}
}

// arrived reads on in a message as far as it has come, and tells whether that
// is to its end.
func (st *stage) arrived(p *player) bool {
	for !p.msg.done {
		data, end := p.conn.unread()
		n, err := p.msg.take(data, end)
		if err != nil || n == 0 {
			break
		}
		p.conn.skip(n)
	}
	return p.msg.done
}

// nothingLeft is how every case ends: each byte anyone got was in the script,
// above all no second request and no second answer.
func (st *stage) nothingLeft() error {
	look := st.nothing
	if st.parts {
		look = st.nothingWhole
	}
	if err := look(); err != nil {
		return fmt.Errorf("%s:%d: after the end: %w", st.script.file, st.script.line, err)
	}
	for name, p := range st.cast {
		if !isClient(name) || p.msg != nil {
			continue
		}
		if data, _ := p.conn.unread(); len(data) > 0 {
			return fmt.Errorf("%s:%d: after the end %s got: %s", st.script.file, st.script.line, name, quoted(data))
		}
	}
	return nil
}
