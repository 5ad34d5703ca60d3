package hub

import "sync"

// shown keeps from being shown twice what this node publishes to be kept: an
// error of the Broker leaves open whether the message comes back.
type shown struct {
	mu   sync.Mutex
	all  map[uint64]fate // guarded by mu; by seq
	ring [1024]uint64    // guarded by mu; what was shown here, to be forgotten in turn
	at   int             // guarded by mu
}

type fate uint8

const (
	leaving    fate = iota // the Broker has it
	came                   // and has brought it back
	unnumbered             // it was shown here without its ID
)

// leaves is for one about to be handed to the Broker.
func (s *shown) leaves(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[uint64]fate)
	}
	s.all[seq] = leaving
}

// settle is for one that is kept: it comes back in its place.
func (s *shown) settle(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, seq)
}

// claim is for one that the Broker has failed with, and tells whether to show
// it now.
func (s *shown) claim(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[seq] == came {
		delete(s.all, seq)
		return false
	}
	delete(s.all, s.ring[s.at])
	s.ring[s.at] = seq
	s.at = (s.at + 1) % len(s.ring)
	s.all[seq] = unnumbered
	return true
}

// comes is for one of ours that is back, and tells whether it has been shown.
func (s *shown) comes(seq uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch was, ok := s.all[seq]; {
	case !ok:
		return false
	case was == unnumbered:
		return true
	}
	s.all[seq] = came
	return false
}
