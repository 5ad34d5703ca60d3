package wire

// Turner is a Waker that serves messages where they are read, in the loop of its
// lot: for a short exchange that saves two switches of goroutines and the
// runtime's looks for whom to wake, a tenth of what it costs.
type Turner interface {
	Waker

	// Turn does with the bytes in Buffered what is to be done. Many connections
	// share the goroutine that calls it: it must not wait for anything. Writes do
	// not: what a socket does not take at once goes on once Wake calls Aside.
	Turn() Turned
}

// Turned is how a Turn has ended.
type Turned uint8

// The ends of a Turn.
const (
	Leaves Turned = iota // Wake goes on, with what was left unread
	Stays                // all was read, and it waits for more
	Busy                 // it has to do until Rest, or until somebody calls Aside
	Passed               // Rise was called: somebody else may have it by now
)

// Settle has c live in a lot, and no more in the runtime's hands: there it can
// have turns. It is called while nothing else happens on c. false: it cannot.
func (c *Conn) Settle() bool { return c.settle() }

// Plain tells whether c is one that can settle.
func (c *Conn) Plain() bool { return c.plain }

// Settled tells whether it has.
func (c *Conn) Settled() bool { return c.own.Load() != nil }

// SettleBeside is Settle where d lives.
func (c *Conn) SettleBeside(d *Conn) bool {
	if c.Lives(d) {
		return true
	}
	c.Beside(d)
	return c.Settle()
}

// Lives tells whether c and d have settled in the same lot.
func (c *Conn) Lives(d *Conn) bool { return c.lot == d.lot && c.Settled() && d.Settled() }

// InTurn tells whether c has turns: nothing that is done for it may wait.
func (c *Conn) InTurn() bool { return c.inTurn }

// Rest ends a turn that was Busy: c waits for its next message.
func (c *Conn) Rest() {
	c.Release()
	c.rd.begin(idle)
	if c.full || c.owes() || !c.state.CompareAndSwap(passing, resting) {
		c.rouse()
	}
}

// Rise ends c's own part in a Turn of the connection, before it is anybody
// else's.
func (c *Conn) Rise() { c.state.Store(awake) }

// Aside ends the turns of c: it belongs to the goroutine that calls this, which
// may wait. It writes what the last turn could not.
func (c *Conn) Aside() error {
	c.inTurn, c.corked = false, false
	c.state.Store(awake)
	if !c.owes() {
		return nil
	}
	rest := c.out
	c.out = nil
	err := c.Write(rest, nil)
	ReleaseBuffer(rest)
	c.doneWriting()
	return err
}

// Leave ends a turn that was Busy, or was given by somebody else: Wake goes on.
func (c *Conn) Leave() { c.rouse() }

func (c *Conn) rouse() {
	c.state.Store(awake)
	go c.waker.Wake()
}

// Owes tells whether the socket did not take all that was written in turns, but
// for what is gathered.
func (c *Conn) Owes() bool { return c.owes() && !c.corked }

// Cork has what is written in a turn be gathered up to Uncork: answers to
// requests that came together go together.
func (c *Conn) Cork() { c.corked = true }

// Uncork writes what was gathered, as far as the socket takes it.
func (c *Conn) Uncork() error {
	if !c.corked {
		return nil // fast path
	}
	c.corked = false
	return c.pour()
}

// pour writes what is owed, as far as the socket takes it.
func (c *Conn) pour() error {
	if !c.owes() {
		return nil
	}
	n, err := c.Try(c.out)
	if n < len(c.out) {
		c.out = c.out[:copy(c.out, c.out[n:])]
		return err
	}
	ReleaseBuffer(c.out)
	c.out = nil
	c.doneWriting()
	return err
}

// owes tells whether there is something that a turn has written and the socket
// has not taken yet.
func (c *Conn) owes() bool { return c.writes != nil && len(c.out) > 0 }

// writeOn is Write in a turn.
func (c *Conn) writeOn(head, body []byte) error {
	if c.corked {
		return c.gather(head, body)
	}
	if !c.owes() {
		n, err := c.Try2(head, body)
		if n == len(head)+len(body) {
			return nil // fast path
		}
		if err != nil {
			return err
		}
		k := min(n, len(head))
		head, body = head[k:], body[n-k:]
		c.forWriting()
		c.out = AcquireBuffer(len(head) + len(body))[:0]
	}
	c.out = append(append(c.out, head...), body...)
	return nil
}

// gathered is how much is at most, before some is written.
const gathered = SmallBuffer

func (c *Conn) gather(head, body []byte) error {
	if c.owes() && len(c.out)+len(head)+len(body) > gathered {
		if err := c.pour(); err != nil {
			return err
		}
	}
	if !c.owes() {
		c.forWriting()
		c.out = AcquireBuffer(max(gathered, len(head)+len(body)))[:0]
	}
	c.out = append(append(c.out, head...), body...)
	return nil
}

// Posting is what became of a Post.
type Posting uint8

// What becomes of it.
const (
	Stale  Posting = iota // the connection was closed or not silent, and nothing was sent
	Posted                // sent; t has the next turn
	Begun                 // the socket did not take all at once: the rest is for Reap
)

// Post is Ask that does not wait. Of c, which has settled, the next turn is t's;
// or t is woken, as a parked connection is.
func (c *Conn) Post(t Turner, head, body []byte) Posting {
	if c.r != c.w || c.given.Load() || c.rd.due.Load() != 0 || !c.hushed() {
		ReleaseBuffer(head)
		return Stale
	}
	c.waker = t
	c.state.Store(arming)
	c.rd.begin(asked)
	n, err := c.Try2(head, body)
	switch {
	case n == len(head)+len(body):
		ReleaseBuffer(head)
		if !c.state.CompareAndSwap(arming, resting) {
			c.rouse()
		}
		return Posted
	case n == 0 && err != nil: // see send
		c.state.Store(awake)
		ReleaseBuffer(head)
		return Stale
	}
	c.state.Store(awake)
	c.forReading()
	c.forWriting()
	k := min(n, len(head))
	c.head, c.out, c.then = head, head[k:], body[n-k:]
	return Begun
}

// Reap is what is left of an Ask behind Post, for a goroutine that was woken, or
// to which a Post was left that is Begun.
func (c *Conn) Reap() (err error) {
	c.inTurn = false
	c.state.Store(awake)
	c.forReading()
	if c.writes != nil && len(c.out)+len(c.then) > 0 {
		err = c.Write(c.out, c.then)
		c.sentAll()
	}
	if err == nil {
		switch err = c.rd.finish(); {
		case err == ErrCalledOff && len(c.Buffered()) > 0: // the answer was faster
			c.resume()
			return nil
		case err != nil || len(c.Buffered()) > 0:
			return err
		}
		c.flagged = asked
		err = c.Fill(c.first)
		c.flagged = 0
	}
	return err
}
