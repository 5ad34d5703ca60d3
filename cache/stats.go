package cache

import (
	"sync/atomic"

	"multiserver/cache/purge"
)

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
	case Expired:
		return "stale"
	}
	return r.String()
}

var reasonNames = [Reasons]string{"", "method", "body", "request", "rule", "unshared", "uri-miss", "vary-miss", "expired", "wish", "partial"}

func (r Reason) String() string { return reasonNames[r] }

// Result is what the access log says of it: the tier that answered, or why it
// was forwarded.
func (v *Visit) Result() string {
	switch {
	case v.Tier != 0:
		return v.Tier.String()
	case v.Why != 0:
		return v.Why.String()
	case v.c != nil:
		return "refused"
	}
	return "-"
}

type counter = atomic.Uint64

// Stats are a Cache's counters.
type Stats struct {
	Hits      [Tiers]counter
	Passes    [Reasons]counter // not looked up, by why
	Misses    [Reasons]counter // looked up and forwarded, by why
	Collapsed counter          // answered by another request's fetch
	Lone      counter          // waited for one in vain, and went alone
	Stored    counter
	Unshared  counter // answers that may not be stored
	Long      counter // not stored because of their length
	Dropped   counter // by unsafe methods
	Purges    [purge.Kinds]counter
	Refreshed counter // behind answers already given
	Corrupt   counter // records in memory that were none
	Torn      counter // bodies of which a chunk was gone
}
