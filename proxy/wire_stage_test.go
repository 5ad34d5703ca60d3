package proxy_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	patience = 10 * time.Second      // how long anything expected may take, on a busy machine
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
	st := &stage{script: s, news: make(chan struct{}, 1), cast: map[string]*player{}}
	if err := st.open("127.0.0.1:0"); err != nil {
		return err
	}
	defer st.clear()
	st.origin = st.ln.Addr().String()
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

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// shorthand plays the commonest ends of a case:
//
//	served        the origin answers the request with 200 "ok" and the client gets that
//	refused 400   the client gets 400 and the connection ends; nothing reaches the origin
//	aborted 400   the same, but a part of a request may have reached the origin
func (st *stage) shorthand(text string) error {
	word, status, _ := strings.Cut(text, " ")
	client, err := st.player("client")
	if err != nil {
		return err
	}
	if word == "served" {
		origin, _ := st.player("origin")
		if !origin.owes {
			if err := st.begin(origin, "origin", ""); err != nil {
				return err
			}
			if err := st.finish(origin); err != nil {
				return err
			}
		}
		origin.msg, origin.owes = nil, false
		origin.conn.send([]byte(okAnswer), 0)
		_, err := st.gets(client, "client", []step{{text: "200"}, {text: "body: ok"}})
		return err
	}
	if word == "refused" { // whichever comes first: the answer, or what must not come
		st.until(patience, func() bool {
			data, end := client.conn.unread()
			return len(data) > 0 || end != nil || st.waiting("") != nil
		})
		if err := st.nothing(); err != nil {
			return err
		}
	}
	if _, err := st.gets(client, "client", []step{{text: status}}); err != nil {
		return err
	}
	if err := st.acts(client, "client", "gone"); err != nil {
		return err
	}
	if word == "aborted" {
		return st.nothingWhole()
	}
	return nil // nothingLeft looks at the origin again
}

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
	for !p.msg.done {
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
