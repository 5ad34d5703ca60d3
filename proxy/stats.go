package proxy

import (
	"sync/atomic"

	"multiserver/pool"
)

// Stats are a Proxy's counters.
type Stats struct {
	Clients  atomic.Int64                // connections open
	Classes  [6]atomic.Uint64            // exchanges by first digit of the status; [0]: ended without an answer
	Refused  atomic.Uint64               // requests that broke the rules, and never left
	Retries  [pool.Reasons]atomic.Uint64 // tries after the first, by why the one before failed
	Spent    atomic.Uint64               // retries that were safe, but beyond the budget
	Panics   atomic.Uint64
	Upgraded atomic.Int64 // tunnels open

	Misfits     [Misfits]atomic.Uint64 // handshakes that did not come about, by why
	TunnelsIdle atomic.Uint64          // tunnels that ended for being silent too long
	TunnelsTold atomic.Uint64          // tunnels that were told to end

	PurgesRefused atomic.Uint64 // from addresses that may not
}

func (s *Stats) count(status int) {
	if status < 100 || status > 599 {
		status = 0
	}
	s.Classes[status/100].Add(1)
}

// Retried is how many tries there were after the first.
func (s *Stats) Retried() (n uint64) {
	for i := range s.Retries {
		n += s.Retries[i].Load()
	}
	return n
}
