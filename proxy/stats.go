package proxy

import "sync/atomic"

// Stats are a Proxy's counters.
type Stats struct {
	Clients  atomic.Int64     // connections open
	Classes  [6]atomic.Uint64 // exchanges by first digit of the status; [0]: ended without an answer
	Refused  atomic.Uint64    // requests that broke the rules, and never left
	Retries  atomic.Uint64    // tries after the first
	Spent    atomic.Uint64    // retries that were safe, but beyond the budget
	Panics   atomic.Uint64
	Upgraded atomic.Int64 // tunnels open
}

func (s *Stats) count(status int) {
	if status < 100 || status > 599 {
		status = 0
	}
	s.Classes[status/100].Add(1)
}
