package discover

import "sync/atomic"

// Stats are a Discover's counters.
type Stats struct {
	Lookups  atomic.Uint64 // A with AAAA is one, each host of an SRV record is one
	Failures [Reasons]atomic.Uint64
	Changes  atomic.Uint64 // of an upstream's members
	Stale    atomic.Int64  // upstreams that live, all or in part, on an old answer
}
