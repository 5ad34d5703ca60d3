package sse

import (
	"context"
	"errors"
	"sync"
	"time"

	"multiserver/sync/hub"
)

// Stream is one client. Post and Close are the hub's; Next is called by the
// goroutine that writes to the connection.
type Stream struct {
	budget int
	cursor Cursor // guarded by mu once it is joined

	mu     sync.Mutex
	out    []byte // guarded by mu; events to be written
	spare  []byte // guarded by mu; the buffer that Next gave away last
	id     []byte // guarded by mu
	closed bool   // guarded by mu
	wake   chan struct{}
}

// ErrClosed is the end that the hub has put to a stream; all is written then.
var ErrClosed = errors.New("sse: the stream is closed")

// New makes a stream of a client that is where cursor says. budget is how many
// bytes may wait.
func New(cursor Cursor, budget int) *Stream {
	return &Stream{budget: budget, cursor: cursor, out: []byte(Hello), wake: make(chan struct{}, 1)}
}

// Join makes c, the stream's place in a hub, a member of its channels, from
// where the client is; one that is new is told where that is. It waits for the
// broker, as long as ctx lasts.
func (s *Stream) Join(ctx context.Context, c *hub.Conn) hub.Reason {
	for i, at := range s.begin(ctx, c) {
		why := hub.OK
		if channel := s.cursor.channels[i]; at != nil {
			why = c.Resume(channel, *at)
		} else {
			why = c.Subscribe(channel)
		}
		if why != hub.OK {
			return why
		}
	}
	return hub.OK
}

// begin is where the client is in each channel; nil: that cannot be told, and it
// begins with what comes. It is before the first message: afterwards the
// cursor moves.
func (s *Stream) begin(ctx context.Context, c *hub.Conn) (at []*hub.ID) {
	for i, channel := range s.cursor.channels {
		id, err := s.cursor.ids[i], error(nil)
		if !s.cursor.back {
			id, err = c.Newest(ctx, channel)
			s.cursor.ids[i] = id
		}
		if at = append(at, nil); err == nil {
			at[i] = &id
		}
	}
	if s.cursor.back {
		return at
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id = s.cursor.Append(s.id[:0]); len(s.id) > 0 {
		s.out = append(append(append(s.out, "id: "...), s.id...), "\n\n"...)
	}
	return at
}

// Post queues an event.
func (s *Stream) Post(m *hub.Message) hub.Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return hub.Closed
	}
	if len(s.out) > 0 && len(s.out)+len(m.Data) > s.budget {
		return hub.Full
	}
	s.cursor.Pass(m)
	s.id = s.id[:0]
	if m.ID != (hub.ID{}) {
		s.id = s.cursor.Append(s.id)
	}
	s.out = Append(s.out, m, s.id)
	s.nudge()
	return hub.Queued
}

// Close ends the stream behind what is queued. An event stream has no codes: its
// client comes back, from where it is.
func (s *Stream) Close(uint16, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.nudge()
}

// nudge is called with mu held.
func (s *Stream) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next waits for what is to be written, which is the caller's until the next
// call. When nothing came for idle it is a comment.
func (s *Stream) Next(ctx context.Context, idle time.Duration) ([]byte, error) {
	t := time.NewTimer(idle)
	defer t.Stop()
	for {
		if b, err := s.take(); b != nil || err != nil {
			return b, err
		}
		select {
		case <-s.wake:
		case <-t.C:
			return []byte(Idle), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// keepBuffer is how large a buffer stays with an idle stream.
const keepBuffer = 1 << 10

func (s *Stream) take() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.out) > 0 {
		b := s.out
		s.out, s.spare = s.spare[:0], b
		if cap(b) > keepBuffer {
			s.spare = nil
		}
		return b, nil
	}
	if s.closed {
		return nil, ErrClosed
	}
	return nil, nil
}
