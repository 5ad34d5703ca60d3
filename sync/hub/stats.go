package hub

import "sync/atomic"

// Reason is why something is refused, or a client is not spoken to any more. Its
// String is the label of the metric.
type Reason uint8

const (
	OK              Reason = iota
	BadName                // of a channel: see ValidName
	TooManyJoined          // channels of one connection
	AddressFull            // connections of one address
	ChannelFull            // connections in one channel
	TooLong                // a message: see MaxMessage
	BadKind                // neither text nor binary
	Busy                   // too much is waiting to be sent to other nodes
	Overrun                // too much is waiting to be shown in a channel
	Slow                   // a client that takes less than it is sent
	Foreign                // from another node, in a form that is not known here
	Ended                  // the connection or the hub has ended
	BadControl             // a control message of a backend
	TooMuchToReplay        // while a client is shown what it has missed
	reasons
)

var reasonNames = [reasons]string{"ok", "bad-name", "too-many-channels", "address-full", "channel-full",
	"too-long", "bad-kind", "busy", "overrun", "slow", "foreign", "ended", "bad-control", "too-much-to-replay"}

func (r Reason) String() string { return reasonNames[r] }

// Error makes a Reason other than OK an error.
func (r Reason) Error() string { return "hub: " + r.String() }

// Err is nil for OK.
func (r Reason) Err() error {
	if r == OK {
		return nil
	}
	return r
}

// Stats are counters, and gauges where it is said.
type Stats struct {
	Members  atomic.Int64 // gauge: connections
	Channels atomic.Int64 // gauge: channels with members on this node

	Published atomic.Uint64 // by this node
	Unshared  atomic.Uint64 // of those, what other nodes may not have got
	Received  atomic.Uint64 // from other nodes

	Written atomic.Uint64 // to a member, at once
	Queued  atomic.Uint64 // to a member that is behind
	Dropped atomic.Uint64 // for a member that is too far behind
	Evicted atomic.Uint64 // to a member, in the place of older ones

	Gaps     atomic.Uint64 // found in what is kept, and looked into
	Replayed atomic.Uint64 // shown late because of one
	Lost     atomic.Uint64 // kept messages that could not be had any more
	Resumed  atomic.Uint64 // clients that came back with an id
	Resets   atomic.Uint64 // and were told that it says nothing any more

	refused [reasons]atomic.Uint64
}

func (s *Stats) refuse(r Reason) Reason {
	s.refused[r].Add(1)
	return r
}

// Refused calls f with each reason and how often it was one.
func (s *Stats) Refused(f func(r Reason, n uint64)) {
	for r := OK + 1; r < reasons; r++ {
		f(r, s.refused[r].Load())
	}
}
