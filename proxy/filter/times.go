package filter

import (
	"sync"
	"time"
)

// times remembers, for each key, when all that it asked for would have been
// asked for. It is bounded: keys that owe nothing any more make room, and where
// all owe, one of them is forgiven.
type times struct {
	shards [64]struct {
		mu sync.Mutex
		of map[uint64]int64 // guarded by mu; Unix ns
		_  [48]byte         // a cache line of its own
	}
}

// mostTimes is of one shard: 64 of them, some 48 bytes a key, are 200 MB at
// the very worst.
const mostTimes = 1 << 16

// take asks for one more at now. wait, if not 0, is how long until there may be
// one; left is how many more there may be at once.
func (t *times) take(key uint64, now, each, window int64) (left int64, wait time.Duration) {
	s := &t.shards[key>>58]
	s.mu.Lock()
	defer s.mu.Unlock()
	at := max(s.of[key], now)
	if over := at + each - now - window; over > 0 {
		return 0, time.Duration(over)
	}
	at += each
	if s.of == nil {
		s.of = map[uint64]int64{}
	}
	if _, known := s.of[key]; !known && len(s.of) >= mostTimes {
		makeRoom(s.of, now)
	}
	s.of[key] = at
	return (window - (at - now)) / each, 0
}

// makeRoom forgets who owes nothing, as far as a few looks find them, and else
// someone: a map is walked from another place each time.
func makeRoom(of map[uint64]int64, now int64) {
	looks, found := 0, false
	for key, at := range of {
		if looks++; at <= now {
			delete(of, key)
			found = true
		}
		if looks >= 64 {
			if !found {
				delete(of, key)
			}
			return
		}
	}
}
