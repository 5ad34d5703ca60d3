package filter

import "sync/atomic"

// Stats are counters of all filters of the process: what did not go as they
// were told, and why.
var Stats struct {
	Plain   atomic.Uint64 // answers that were not compressed: encoders at work take all that there is for them
	Unheld  atomic.Uint64 // requests that came when there was too little room to hold any; they may flow
	Unknown atomic.Uint64 // requests whose rate was asked for in vain: Redis is away
}
