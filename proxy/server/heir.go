package server

import (
	"bufio"
	"errors"
	"net"
	"time"

	"multiserver/cache"
)

// Bequest is the cache, for the process that takes our place: a copy, and what
// changes behind it as long as we drain.
type Bequest struct {
	s     *Server
	trail *cache.Trail  // nil: there is no cache, or no file for a copy
	done  chan struct{} // closed when all is told
}

// Bequeath makes the copy, before another process is begun, which takes a second or
// two for a GiB; that finds it if it has the same --cache-file.
func (s *Server) Bequeath() *Bequest {
	b := &Bequest{s: s}
	if s.cache == nil || s.conf.Cache.File == "" {
		return b
	}
	var err error
	if b.trail, err = s.cache.HandOn(); err != nil {
		s.log.Error("the cache is not handed on, the new process begins empty", "file", s.conf.Cache.File, "cause", err)
	}
	return b
}

// Revoke is for when nobody takes our place.
func (b *Bequest) Revoke() {
	if b.trail != nil {
		b.trail.End()
	}
}

// Tell takes over the connection to the other process, which has the copy and may
// serve, and tells it what has changed and changes up to the end of Run. Without a
// copy it closes it at once.
func (b *Bequest) Tell(heir net.Conn) {
	if b.trail == nil {
		_ = heir.Close()
		return
	}
	b.trail.Taken()
	b.done = make(chan struct{})
	b.s.bequest.Store(b)
	go func() {
		defer close(b.done)
		defer heir.Close()
		if err := b.trail.Send(heir); err != nil {
			b.s.log.Warn("the new process is not told what changes in the cache, and forgets all of it", "cause", err)
		}
	}()
}

// end waits until the rest is told.
func (b *Bequest) end() {
	if b != nil {
		b.trail.End()
		<-b.done
	}
}

// inheritWithin is how long a process that is to leave may take to tell what has
// changed in the cache since its copy.
const inheritWithin = 5 * time.Second

// Inherit hears from the process that leaves what changes in the cache, up to its
// end. It returns when all from before is known, and clients may come. It takes
// over the connection.
func (s *Server) Inherit(from net.Conn, said *bufio.Reader) {
	if s.cache == nil {
		_ = from.Close()
		return
	}
	caught, i := make(chan struct{}), &inheritance{from, make(chan struct{})}
	s.inherits.Store(i)
	_ = from.SetReadDeadline(time.Now().Add(inheritWithin))
	go func() {
		defer close(i.done)
		defer from.Close()
		err := s.cache.Follow(said, func() {
			_ = from.SetReadDeadline(time.Time{})
			close(caught)
		})
		if err != nil && !errors.Is(err, net.ErrClosed) {
			s.log.Warn("what the process before has changed in the cache is not known, all is forgotten", "cause", err)
		}
	}()
	select {
	case <-caught:
	case <-i.done:
	}
}

// inheritance is what is heard from the process before.
type inheritance struct {
	from net.Conn
	done chan struct{}
}

func (i *inheritance) end() {
	if i != nil {
		_ = i.from.Close()
		<-i.done
	}
}
