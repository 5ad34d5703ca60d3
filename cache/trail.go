package cache

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"multiserver/cache/memory"
)

// A Trail is what was dropped, replaced and purged since another process, which
// is to take our place, was given a copy of memory. Both go on for a while side by
// side: what the one is told must not be in the other any more.
type Trail struct {
	c *Cache

	mu   sync.Mutex
	wait []byte // guarded by mu, as is lost; items that nobody has taken yet
	lost bool   // they were too many: all may have changed

	wake chan struct{} // there are some
	over chan struct{} // closed: there will be no more
	end  sync.Once
}

const (
	// trailBound is how much may wait for the other process to be told of: at 60
	// bytes a name, 17,000 of them. Beyond, it forgets all.
	trailBound = 1 << 20

	// trailPatience is how long it may take to take what it is told.
	trailPatience = 5 * time.Second
)

// The items of a trail: a kind, the length of a name, the name.
const (
	trailKey    = 'k' // dropped, or replaced
	trailMark   = 'm' // a purge
	trailAll    = 'a' // more than can be told
	trailCaught = '.' // from here on it is told as it happens
	trailEnd    = '!' // there is no more
)

// HandOn keeps what memory holds beside File, for a process whose Options say
// Heir, and begins the trail of what changes from then on. End ends both.
func (c *Cache) HandOn() (*Trail, error) {
	if c.opt.File == "" {
		return nil, errors.New("there is no file for it")
	}
	t := &Trail{c: c, wake: make(chan struct{}, 1), over: make(chan struct{})}
	c.trail.Store(t) // before the copy: what is dropped meanwhile may be in it
	if err := c.saveTo(c.heirs()); err != nil {
		t.End()
		return nil, err
	}
	return t, nil
}

// heirs is where the copy is, and never what a start without us finds: what has
// changed since would be unknown to it.
func (c *Cache) heirs() string { return c.opt.File + ".heir" }

// Taken removes the copy, which the other process has read.
func (t *Trail) Taken() { _ = memory.Remove(t.c.heirs()) }

// End has nothing noted any more, and Send return once it has told the rest.
func (t *Trail) End() {
	t.end.Do(func() {
		t.c.trail.CompareAndSwap(t, nil)
		t.Taken()
		close(t.over)
	})
}

// note tells of a change that has been made here: a copy that is begun behind it
// has it, too. Fast path: nobody has one.
func (c *Cache) note(kind byte, name []byte) {
	if t := c.trail.Load(); t != nil {
		t.note(kind, name)
	}
}

func (t *Trail) note(kind byte, name []byte) {
	t.mu.Lock()
	if len(t.wait)+len(name)+2*binary.MaxVarintLen32 > trailBound {
		t.wait, t.lost = t.wait[:0], true
	}
	if !t.lost {
		t.wait = appendItem(t.wait, kind, name)
	}
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func appendItem(dst []byte, kind byte, name []byte) []byte {
	return append(binary.AppendUvarint(append(dst, kind), uint64(len(name))), name...)
}

// take puts what waits in place of b.
func (t *Trail) take(b []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost {
		t.lost = false
		return appendItem(b[:0], trailAll, nil)
	}
	b, t.wait = t.wait, b[:0]
	return b
}

// Send tells what has gathered, that this was all, and then the rest as it comes,
// until End. w's other side is Follow.
func (t *Trail) Send(w interface {
	io.Writer
	SetWriteDeadline(time.Time) error
}) error {
	put := func(b []byte) error {
		_ = w.SetWriteDeadline(time.Now().Add(trailPatience))
		_, err := w.Write(b)
		return err
	}
	b := appendItem(t.take(nil), trailCaught, nil)
	for {
		if err := put(b); err != nil {
			return err
		}
		over := false
		select {
		case <-t.wake:
		case <-t.over:
			over = true
		}
		if b = t.take(b); over {
			return put(appendItem(b, trailEnd, nil))
		}
	}
}

// Follow does what another process tells by Send, up to its end. It calls caught
// once all is known that was changed before. If it breaks off, all is forgotten:
// anything may have changed.
func (c *Cache) Follow(r *bufio.Reader, caught func()) error {
	known, buf := false, []byte(nil)
	for {
		kind, name, err := readItem(r, buf)
		if err == io.EOF && !known && !c.inherited {
			return nil // it had nothing to tell
		}
		if err != nil {
			c.mark(nil)
			return err
		}
		buf = name
		switch kind {
		case trailKey:
			c.changed(name)
		case trailMark:
			c.mark(name)
		case trailCaught:
			known = true
			caught()
		case trailEnd:
			return nil
		default: // trailAll, or a later version's
			c.mark(nil)
		}
	}
}

func readItem(r *bufio.Reader, buf []byte) (kind byte, name []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r)
	if err == nil && n > trailBound {
		err = fmt.Errorf("cache: a name of %d bytes", n)
	}
	if err != nil {
		return 0, nil, err
	}
	name = slices.Grow(buf[:0], int(n))[:n]
	_, err = io.ReadFull(r, name)
	return kind, name, err
}

// mark puts a purge of the other process in force, for all that was fetched up to
// now: its numbers are not ours. nil is one of everything.
func (c *Cache) mark(name []byte) {
	seq := c.marks.Next
	if c.far != nil {
		seq = c.marks.Meanwhile
	}
	c.marked(name, seq())
}
