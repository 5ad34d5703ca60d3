package proxy_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/sync/daemon"
)

const (
	patience = 30 * time.Second      // how long anything expected may take, on a busy machine
	silence  = 60 * time.Millisecond // how long nothing has to happen to count as nothing
)

// stage is where one script is played: a front, the origin behind it, and the
// connections on both sides. One goroutine plays all parts, in the order of
// the script.
type stage struct {
	script *script
	front  string        // where clients connect
	origin string        // where the front connects
	news   chan struct{} // something arrived or ended somewhere
	cast   map[string]*player
	parts  bool // parts of a request may reach the origin, also late

	mu       sync.Mutex
	ln       net.Listener
	accepted []*wireConn // in order; they stay until the end
	accepts  sync.WaitGroup
}

// player is a client or an origin of the script. A client keeps its one
// connection; an origin has the one of the last request it saw.
type player struct {
	conn, before *wireConn
	msg          *message // not read to its end yet
	owes         bool     // an origin that has not begun its final answer
	drip         time.Duration
}

// play runs a script on a front and says how it differed.
func play(t *testing.T, s *script, f front) error {
	st := &stage{script: s.dated(time.Now()), news: make(chan struct{}, 1), cast: map[string]*player{}}
	st.origin = daemon.Addr(t)
	if err := st.open(st.origin); err != nil {
		return err
	}
	defer st.clear()
	p, err := f.start(t, st.origin, s.flags)
	if err != nil {
		return err
	}
	st.front = p.addr
	if err = st.run(); err == nil {
		err = st.nothingLeft()
	}
	if dead := p.health(); dead != nil {
		err = errors.Join(err, dead)
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, st.recording())
	}
	return nil
}

func (st *stage) run() error {
	steps := st.script.steps
	for len(steps) > 0 {
		n := 1
		for n < len(steps) && steps[n].actor == steps[0].actor && steps[n].kind == steps[0].kind && steps[0].kind != ':' && steps[0].actor != "" {
			n++
		}
		if line, err := st.block(steps[:n]); err != nil {
			return fmt.Errorf("%s:%d: %w", st.script.file, line, err)
		}
		steps = steps[n:]
	}
	return nil
}

// block plays consecutive lines of one actor and kind: one write, or the
// messages it must get, or one action.
func (st *stage) block(steps []step) (line int, err error) {
	first := steps[0]
	if first.actor == "" {
		return first.line, st.shorthand(first.text)
	}
	p, err := st.player(first.actor)
	if err != nil {
		return first.line, err
	}
	switch first.kind {
	case '>':
		return first.line, st.sends(p, first.actor, steps)
	case '<':
		return st.gets(p, first.actor, steps)
	default:
		return first.line, st.acts(p, first.actor, first.text)
	}
}

func (st *stage) player(name string) (*player, error) {
	p := st.cast[name]
	if p == nil {
		p = &player{}
		st.cast[name] = p
	}
	if p.conn == nil && isClient(name) {
		conn, err := net.DialTimeout("tcp", st.front, patience)
		if err != nil {
			return nil, err
		}
		p.conn = newWireConn(conn, st.news)
	}
	return p, nil
}

func isClient(actor string) bool { return strings.HasPrefix(actor, "client") }

func (st *stage) sends(p *player, actor string, steps []step) error {
	if p.conn == nil {
		return fmt.Errorf("%s sends before it got a request", actor)
	}
	var all []byte
	for _, s := range steps {
		b, line, err := unescape(s.text)
		if err != nil {
			return err
		}
		if all = append(all, b...); line {
			all = append(all, "\r\n"...)
		}
	}
	p.conn.send(all, p.drip)
	p.owes = p.owes && bytes.HasPrefix(all, []byte("HTTP/1.1 1"))
	return nil
}

// open starts the origin's listener.
func (st *stage) open(addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	st.ln = ln
	st.accepts.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			st.mu.Lock()
			st.accepted = append(st.accepted, newWireConn(conn, st.news))
			st.mu.Unlock()
		}
	})
	return nil
}

// down refuses new connections and lets those there are be.
func (st *stage) down() error {
	err := st.ln.Close()
	st.accepts.Wait()
	return err
}

// clear takes everything off the stage and waits for its goroutines.
func (st *stage) clear() {
	st.down()
	for _, c := range st.accepted {
		c.shut()
	}
	for name, p := range st.cast {
		if isClient(name) && p.conn != nil {
			p.conn.shut()
		}
	}
}

// waiting is the first connection at the origin with bytes that nobody has
// looked at and that do not go on with a message; those of other origins in
// the script come last.
func (st *stage) waiting(actor string) (found *wireConn) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, c := range st.accepted {
		if data, _ := c.unread(); len(data) == 0 {
			continue
		}
		taken, busy := false, false
		for name, p := range st.cast {
			taken = taken || p.conn == c && name != actor
			busy = busy || p.conn == c && p.msg != nil
		}
		switch {
		case busy:
		case !taken:
			return c
		case found == nil:
			found = c
		}
	}
	return found
}

// recording is what everyone received, for the reader of a failure.
func (st *stage) recording() string {
	var b strings.Builder
	for name, p := range st.cast {
		if isClient(name) && p.conn != nil {
			_, end := p.conn.unread()
			fmt.Fprintf(&b, "\n    %s got %s (%s)", name, quoted(p.conn.all()), state(end))
		}
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	for i, c := range st.accepted {
		_, end := c.unread()
		fmt.Fprintf(&b, "\n    origin connection %d got %s (%s)", i+1, quoted(c.all()), state(end))
	}
	return b.String()
}

func state(end error) string {
	switch {
	case end == nil:
		return "open"
	case cleanEnd(end):
		return "closed"
	}
	return end.Error()
}

func quoted(b []byte) string {
	const most = 700
	if len(b) > most {
		return fmt.Sprintf("%q… (%d bytes)", b[:most], len(b))
	}
	return fmt.Sprintf("%q", b)
}
