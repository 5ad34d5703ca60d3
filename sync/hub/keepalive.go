package hub

import (
	"sync/atomic"
	"time"
)

// How long a client may be silent before it is sent a keep-alive, and for how
// long if its backend does not say.
const (
	minKeepAlive   = time.Second
	maxKeepAlive   = time.Hour
	usualKeepAlive = 55 * time.Second // as Pushpin has it: proxies often give up after a minute
)

// maxControl is what a control frame takes (RFC 6455 section 5.5).
const maxControl = 125

// quieter is a Member that knows for how long nothing has passed either way.
type quieter interface{ Quiet() time.Duration }

// keepAlive has the client get a message whenever it was quiet for a while or,
// in the mode interval, again and again; without content it ends that.
func (c *Conn) keepAlive(m *control) Reason {
	word, why := m.keepAlive()
	if why != OK {
		return c.h.Stats.refuse(why)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.alive != nil {
		c.alive.Stop()
		c.alive = nil
	}
	if word != nil && !c.ended {
		c.alive = c.beat(m.every(), word, m.Mode != "interval")
	}
	return OK
}

// keepAlive is the message to send; nil: none from here on.
func (m *control) keepAlive() (word *Message, why Reason) {
	if m.Content == nil && m.Bytes == nil {
		return nil, OK
	}
	kind, data := m.message()
	switch as := m.As; {
	case as == "text":
		kind = Text
	case as == "binary":
		kind = Binary
	case as == "ping":
		kind = ping
	case as == "pong":
		kind = pong
	case as != "":
		return nil, BadControl
	}
	every := m.every()
	if every < minKeepAlive || every > maxKeepAlive || len(data) > MaxMessage || kind > Binary && len(data) > maxControl {
		return nil, BadControl
	}
	return newMessage("", ID{}, kind, "", data), OK
}

func (m *control) every() time.Duration {
	if m.Timeout == 0 {
		return usualKeepAlive
	}
	return time.Duration(m.Timeout * float64(time.Second))
}

// beatTimer calls something again and again until it is stopped.
type beatTimer struct {
	timer   *time.Timer
	stopped atomic.Bool
}

// Stop may let it be called once more.
func (b *beatTimer) Stop() {
	b.stopped.Store(true)
	b.timer.Stop()
}

// beat posts word every d, as long as the hub lives; idle: counted from when
// something passed last.
func (c *Conn) beat(d time.Duration, word *Message, idle bool) *beatTimer {
	b := new(beatTimer)
	set := make(chan struct{})
	b.timer = time.AfterFunc(d, func() {
		<-set
		if b.stopped.Load() || c.h.ctx.Err() != nil {
			return
		}
		if left := d - c.quiet(d); idle && left > 0 {
			b.timer.Reset(left)
			return
		}
		b.timer.Reset(d)
		c.h.post(c.m, word)
	})
	close(set)
	return b
}

// quiet is for how long nothing has passed; d: it is not known.
func (c *Conn) quiet(d time.Duration) time.Duration {
	if q, ok := c.m.(quieter); ok {
		return q.Quiet()
	}
	return d
}
