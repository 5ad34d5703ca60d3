package proxy_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// head waits for a whole head and reads it.
func (st *stage) head(c *wireConn, request bool) (m *message, err error) {
	var head []byte
	var end error
	found := false
	st.until(patience, func() bool {
		var data []byte
		data, end = c.unread()
		head, _, found = bytes.Cut(data, []byte("\r\n\r\n"))
		return found || end != nil
	})
	switch {
	case found:
		c.skip(len(head) + 4)
		return parseHead(string(head), request)
	case len(head) == 0 && end != nil:
		return nil, fmt.Errorf("the connection ended without a message: %s", state(end))
	case end != nil:
		return nil, fmt.Errorf("the connection ended in a head: %s: %s", state(end), quoted(head))
	case len(head) == 0:
		return nil, errors.New("no message came")
	}
	return nil, fmt.Errorf("a head without an end came: %s", quoted(head))
}

var errCut = errors.New("the connection ended before the body did")

// pull reads one more piece of a body.
func (st *stage) pull(c *wireConn, m *message) error {
	var n int
	var err, end error
	st.until(patience, func() bool {
		var data []byte
		data, end = c.unread()
		if len(data) > 0 || end != nil {
			n, err = m.take(data, end)
		}
		c.skip(n)
		return n > 0 || m.done || err != nil || end != nil
	})
	switch {
	case err != nil:
		return err
	case n > 0 || m.done:
		return nil
	case end != nil:
		m.cut = true
		return fmt.Errorf("%w (%s), after %s", errCut, state(end), quoted(m.body))
	}
	return fmt.Errorf("the body does not go on after %s", quoted(m.body))
}

// finish reads a player's message to its end.
func (st *stage) finish(p *player) error {
	for !st.arrived(p) { // without a timer for each chunk
		if err := st.pull(p.conn, p.msg); err != nil {
			return err
		}
	}
	return nil
}

// begin reads the next head that comes to a player.
func (st *stage) begin(p *player, actor, start string) (err error) {
	if !isClient(actor) {
		var c *wireConn
		if !st.until(patience, func() bool { c = st.waiting(actor); return c != nil }) {
			return errors.New("no request reached the origin")
		}
		p.before, p.conn, p.owes = p.conn, c, true
	}
	if p.msg, err = st.head(p.conn, !isClient(actor)); err != nil {
		return err
	}
	return sameStart(p.msg.start, start)
}

var statusSet = regexp.MustCompile(`^[1-9][0-9][0-9](\|[1-9][0-9][0-9])*$`)

// sameStart compares a start line with "" (any), "200", "400|501", "200 OK" or
// the whole line.
func sameStart(got, want string) error {
	if want == "" || got == want {
		return nil
	}
	if code, reason, _ := strings.Cut(want, " "); statusSet.MatchString(code) && len(got) > 12 {
		for one := range strings.SplitSeq(code, "|") {
			if got[9:12] == one && (reason == "" || got[13:] == reason) {
				return nil
			}
		}
	}
	return fmt.Errorf("want %q, got %q", want, got)
}
