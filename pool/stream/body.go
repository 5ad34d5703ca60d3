package stream

import (
	"io"
	"os"
)

// body is the request's body as x/net takes it, for one try.
type body struct {
	s      *stream
	at     int  // bytes of s.replay read
	closed bool // guarded by s.mu; x/net wants no more
}

// mostReplay is up to where what was taken of a body is kept for another try.
const mostReplay = 4 << 10

func (s *stream) newBody() *body {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body = &body{s: s}
	return s.body
}

// replayable tells whether another try can have the whole body.
func (s *stream) replayable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.lost && !s.closed
}

// Read waits for data. The end comes with the last of it, so that one frame
// holds both.
func (b *body) Read(p []byte) (n int, err error) {
	s := b.s
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case b.closed || s.closed:
			return 0, errStopped
		case b.at < len(s.replay):
			n = copy(p, s.replay[b.at:])
			b.at += n
		case len(s.offer) > 0:
			n = b.take(p)
		}
		if s.whole && len(s.offer) == 0 && b.at >= len(s.replay) {
			return n, io.EOF
		}
		if n > 0 || len(p) == 0 {
			return n, nil
		}
		s.news.Wait()
	}
}

// take takes from what is offered, and keeps it while there may be another
// try. Called with s.mu held.
func (b *body) take(p []byte) int {
	s := b.s
	n := copy(p, s.offer)
	if s.offer = s.offer[n:]; len(s.offer) == 0 {
		s.news.Broadcast()
	}
	switch {
	case s.settled || s.lost:
	case len(s.replay)+n > mostReplay:
		s.lost, s.replay = true, nil
	default:
		s.replay = append(s.replay, p[:n]...)
		b.at += n
	}
	return n
}

// Close is called by x/net when it takes no more: the try has failed, or the
// answer makes the rest pointless.
func (b *body) Close() error {
	s := b.s
	s.mu.Lock()
	defer s.mu.Unlock()
	b.closed = true
	if s.settled && b == s.body {
		s.stopped = true
	}
	s.news.Broadcast()
	return nil
}

// give offers p, behind which the body ends if it is the last, and waits until
// it is taken. A small body that is not wanted is taken all the same: the
// answer says why, and it is read only behind the body.
func (s *stream) give(p []byte, last bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offer, s.whole = p, last
	s.news.Broadcast()
	for {
		switch {
		case len(s.offer) == 0:
			return nil
		case s.stopped && s.ask.small:
			s.offer = nil
			return nil
		case s.stopped, s.closed:
			s.offer = nil
			return errStopped
		case s.late[writing]:
			s.offer = nil
			return os.ErrDeadlineExceeded
		}
		s.news.Wait()
	}
}
