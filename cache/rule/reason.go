package rule

// Reason is why an answer is not stored: a metric's label, and what
// Cache-Status says.
type Reason uint8

// The reasons, in the order in which they are looked for.
const (
	Storable      Reason = iota
	Method               // not GET
	Range                // 206, which is judged apart
	Status               // 1xx or 304; or must-understand with a status we do not
	Refused              // the request said no-store
	Malformed            // Cache-Control cannot be read
	NoStore              // the answer said so
	Private              // for one user only
	Authorization        // the request had it, and the answer does not allow it to be shared
	Session              // the client's session is in it, and the answer does not say public
	VaryAny              // Vary: *, or one that cannot be read
	Cookie               // sets a cookie, and is not clearly meant to be shared
	NoFreshness          // says nothing of freshness, or is stale and no use like that
	NoValidator          // has to be validated at each use, and cannot be
	Reasons              // how many there are
)

var reasonNames = [Reasons]string{
	"storable", "method", "range", "status", "request-no-store", "malformed", "no-store", "private",
	"authorization", "session", "vary-star", "cookie", "no-freshness", "no-validator",
}

// String is the reason as it appears in metrics.
func (r Reason) String() string {
	if r >= Reasons {
		return "unknown"
	}
	return reasonNames[r]
}
