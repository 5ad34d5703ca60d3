package cache

import "sync/atomic"

// Tier is where a hit came from.
type Tier uint8

const (
	_      Tier = iota
	Memory      // the first tier, fresh
	Redis       // the second, fresh
	Stale       // either, and past its freshness
	Valid       // either, confirmed by an upstream
	Tiers       // how many there are
)

var tierNames = [Tiers]string{"", "memory", "redis", "stale", "revalidated"}

func (t Tier) String() string { return tierNames[t] }

// Reason is why a request was forwarded.
type Reason uint8

const (
	_            Reason = iota
	ByMethod            // not GET or HEAD
	ByBody              // a GET with a body
	ByRequest           // it asked for something only the origin can tell
	ByRule              // the operator's patterns
	ByRemembered        // answers here are not shared, as a recent one was not
	Absent              // nothing is stored for the target
	Variant             // something is, but for other requests
	Expired             // it has to be validated
	Wished              // the client's Cache-Control
	Lacking             // only a part is there
	Reasons             // how many there are
)

// forwarded is the reason as RFC 9211 §2.2 names it.
func (r Reason) forwarded() string {
	switch r {
	case ByMethod:
		return "method"
	case ByBody, ByRequest, Wished:
		return "request"
	case ByRule, ByRemembered:
		return "bypass"
	}
	return r.String()
}

var reasonNames = [Reasons]string{"", "method", "body", "request", "rule", "unshared", "uri-miss", "vary-miss", "stale", "wish", "partial"}

func (r Reason) String() string { return reasonNames[r] }

// Stats are a Cache's counters.
type Stats struct {
	Hits      [Tiers]atomic.Uint64
	Passes    [Reasons]atomic.Uint64 // not looked up, by why
	Misses    [Reasons]atomic.Uint64 // looked up and forwarded, by why
	Collapsed atomic.Uint64          // answered by another request's fetch
	Lone      atomic.Uint64          // waited for one in vain, and went alone
	Stored    atomic.Uint64
	Unshared  atomic.Uint64 // answers that may not be stored
	Long      atomic.Uint64 // not stored because of their length
	Dropped   atomic.Uint64 // by unsafe methods and PURGE
	Refreshed atomic.Uint64 // behind answers already given
	Corrupt   atomic.Uint64 // records in memory that were none
	Torn      atomic.Uint64 // bodies of which a chunk was gone
}
