package pipe

import (
	"cmp"
	"errors"
	"io"
	"runtime/debug"

	"multiserver/proxy/wire"
)

// Why a connection ends.
var (
	errEnded   = io.EOF // as those see it who are still in its line
	errUnasked = errors.New("bytes that nobody asked for")
	errLast    = errors.New("the answer is the connection's last")
	errSwitch  = errors.New("101 that was not asked for")
	errDoubt   = errors.New("a body may come where there is none")
	errSkipped = errors.New("an answer that nobody wants is too long to be skipped")
)

// mostSkipped bounds what is read of an answer that nobody wants.
const mostSkipped = 256 << 10

// run reads answers until one is the last.
func (c *conn) run() {
	defer c.end()
	defer func() {
		if r := recover(); r != nil { // costs this connection, and nothing else
			c.set.opt.Log.Error("BUG: panic", "cause", r, "stack", string(debug.Stack()))
		}
	}()
	for err := error(nil); err == nil; {
		err = c.turn()
	}
}

// turn deals out what one read gives.
func (c *conn) turn() error {
	if !c.await() {
		return errEnded
	}
	if err := c.Await(false); err != nil {
		return err
	}
	for len(c.Buffered()) > 0 {
		if err := c.deal(); err != nil {
			return err
		}
	}
	return nil
}

// await waits until something is sent. It tells whether more is to be read.
func (c *conn) await() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.sent == 0 && !c.over {
		if c.shut.Load() && c.places.Load() == 0 {
			return false
		}
		c.news.Wait()
	}
	return !c.over
}

// deal passes on one answer, or one before it (1xx). What is wrong with it the
// core finds in the same bytes.
func (c *conn) deal() error {
	s := c.front()
	err := c.pass(s)
	switch err {
	case nil, errUnasked, errLast, errDoubt: // it has all of it
		return err
	case wire.ErrBroken, wire.ErrGone:
		err = io.ErrUnexpectedEOF // we have given it up
	}
	_ = s.put(c.Buffered(), false)
	s.fail(err)
	return err
}

// front is whose answer is next. There is somebody while something is sent, and
// nothing is read else.
func (c *conn) front() *Seat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.line[c.first]
}

func (c *conn) pass(s *Seat) error {
	n, err := c.head()
	if err != nil {
		return err
	}
	b := c.Buffered()
	c.Skip(n)
	r := &c.res
	c.body.Begin(c.Conn, r.Framing(false), r.Length, 0)
	for {
		err := c.step()
		piece := b[:len(b)-len(c.Buffered())]
		if c.body.Ended() {
			return c.close(s, piece)
		}
		c.held.Store(true) // nobody is put behind what may be long
		if skipped := c.give(s, piece); err == nil {
			err = skipped
		}
		if err == nil {
			err = c.Fill(wire.LargeBuffer)
		}
		if err != nil {
			return err
		}
		b = c.Buffered()
	}
}

// head reads a head into res, and tells how long it is.
func (c *conn) head() (int, error) {
	n, err := c.res.Parse(c.Buffered())
	for seen := (wire.Scan{}); err == wire.ErrMore; {
		if err := c.Fill(c.set.opt.MaxHead); err != nil {
			return 0, err
		}
		if seen.Whole(c.Buffered()) {
			n, err = c.res.Parse(c.Buffered())
		}
	}
	return n, err
}

// step consumes what is here of the body.
func (c *conn) step() error {
	for {
		switch _, err := c.body.Take(); err {
		case nil:
		case wire.ErrMore, io.EOF:
			return nil
		default:
			return err
		}
	}
}

// close gives s the end of its answer, and tells whether there may be another.
func (c *conn) close(s *Seat, piece []byte) error {
	r := &c.res
	if r.Status < 200 {
		err := c.give(s, piece)
		if r.Status == 101 {
			err = errSwitch
		}
		return err
	}
	err := error(nil)
	switch {
	case !r.Persists():
		err = errLast
	case c.body.Framing() == wire.None && (r.Length > 0 || r.Chunked): // 204 or 304
		err = errDoubt
	}
	c.held.Store(false)
	c.places.Add(-1) // before s knows that it may ask again
	_ = s.put(piece, true)
	return cmp.Or(c.leave(), err)
}

// give gives s more of its answer, or skips it.
func (c *conn) give(s *Seat, piece []byte) error {
	if s.put(piece, false) {
		return nil
	}
	if c.skipped += len(piece); c.skipped > mostSkipped {
		return errSkipped
	}
	return nil
}

// leave takes the first out of the line. Behind the last answer of what is sent
// nothing may be left.
func (c *conn) leave() (err error) {
	c.mu.Lock()
	if c.sent == 1 {
		if len(c.Buffered()) > 0 {
			c.over, err = true, errUnasked
		}
		c.Release()
		c.used.Store(c.set.opt.Guard.Now())
	}
	c.line[c.first] = nil
	c.first = (c.first + 1) % len(c.line)
	c.n--
	c.sent--
	c.dealt++
	c.skipped = 0
	if err == nil && c.n > 0 && c.wanted.Load() == 0 && c.shut.Load() {
		err = errLast // what is to come nobody wants
	}
	c.mu.Unlock()
	return err
}
