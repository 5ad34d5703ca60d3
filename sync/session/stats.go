package session

import "sync/atomic"

// Reason is why something did not come about. Each is a counter.
type Reason uint8

// The reasons.
const (
	ForgedToken    Reason = iota // a token that nobody of us has signed
	MalformedToken               // a cookie of our name that is no token
	UnknownKey                   // a token signed with a key that is not in the ring
	GoneSession                  // a token of ours, and no session under it
	LaggingStore                 // the store's session is older than the client's token says
	AwayOnLoad                   // the store did not answer: the backend saw no session
	AwayOnSave                   // the store did not answer: what the backend set is lost, or may be
	BreakerShut                  // the store was not asked
	BadPatch                     // X-Session-Set is no JSON object
	BadField                     // another X-Session field is not what it should be
	LargePatch                   // above MaxPatch
	LargeSession                 // above MaxKeys, MaxKey or MaxBytes
	Conflicting                  // X-Session-If-Version: someone else was first
	EndedMeanwhile               // dropped or ended between the request and the answer
	MovedMeanwhile               // X-Session-Rotate of a session that somebody else has rotated
	reasons
)

var reasonNames = [reasons]string{"forged_token", "malformed_token", "unknown_key", "gone_session", "lagging_store",
	"away_on_load", "away_on_save", "breaker_open", "bad_patch", "bad_field", "large_patch", "large_session",
	"conflict", "ended_meanwhile", "moved_meanwhile"}

// String is the reason's name in metrics.
func (r Reason) String() string { return reasonNames[r] }

// Reasons are how many there are: Reason(0) to Reason(Reasons-1).
const Reasons = int(reasons)

// Stats are counters of Sessions.
type Stats struct {
	Loaded    atomic.Uint64 // requests that had a session
	Begun     atomic.Uint64
	Patched   atomic.Uint64
	Unchanged atomic.Uint64 // patches that said what was there already
	Touched   atomic.Uint64
	Rotated   atomic.Uint64
	Dropped   atomic.Uint64
	Omitted   atomic.Uint64 // data too large for a field

	refused [reasons]atomic.Uint64
}

// Refused counts what did not come about for a reason.
func (s *Stats) Refused(why Reason) uint64 { return s.refused[why].Load() }
