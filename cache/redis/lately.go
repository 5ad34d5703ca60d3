package redis

import (
	"sync"
	"time"
)

// lately is what this node has put a moment ago, or is putting. When another
// node drops such a key at the same time, Redis may have done that before our
// put, whose record is then older than the drop and would stay: the news of
// the drop does not say which came first. So the key is dropped once more. At
// worst that costs a record that was good. Not in a cluster: there a node may
// hear of its own puts, and would drop each.
type lately struct {
	mu    sync.Mutex
	until map[string]time.Time // guarded by mu; zero: on its way
	sweep time.Time            // guarded by mu
}

// moment is how long after the answer to a put the news of what came before it
// may take: they come over the same connection, at most one turn of Redis' loop
// later, and are read by the same goroutine.
const moment = 20 * time.Millisecond

// begin notes the puts of a batch as they leave the queue, whose lock is held:
// they are always in one or the other.
func (s *lately) begin(batch []op) {
	if len(batch) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.until == nil {
		s.until = make(map[string]time.Time)
	}
	now := time.Now()
	if now.After(s.sweep) {
		s.sweep = now.Add(moment)
		for name, until := range s.until {
			if !until.IsZero() && now.After(until) {
				delete(s.until, name)
			}
		}
	}
	for i := range batch {
		if batch[i].does == put {
			s.until[batch[i].name] = time.Time{}
		}
	}
}

// end says that they were answered.
func (s *lately) end(batch []op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	until := time.Now().Add(moment)
	for i := range batch {
		if _, in := s.until[batch[i].name]; in && batch[i].does == put {
			s.until[batch[i].name] = until
		}
	}
}

// take tells whether name is among them, once.
func (s *lately) take(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, in := s.until[name]
	if !in {
		return false
	}
	delete(s.until, name)
	return until.IsZero() || time.Now().Before(until)
}
