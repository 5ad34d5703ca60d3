package hub

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// Broker carries messages between nodes, by channel. It does not know what is
// in them. Its methods may be called from any goroutine.
//
// A channel's name is 1 to 255 bytes of any value. Messages are at most
// MaxMessage long, and a few bytes of the hub's own.
type Broker interface {
	// Open says who is to hear. It is called once, before all else, and does
	// not wait for a server.
	Open(s Sink) error

	// Publish hands msg, borrowed until it returns, to each node that has joined
	// the channel, this one too. With history it is kept first, and its ID
	// returned; otherwise the ID is zero. Calls that follow each other arrive
	// in that order at each node.
	//
	// An error says that it may not have arrived, not that it has not. It comes
	// within ctx and, if that has no end, within a time of the broker's own.
	Publish(ctx context.Context, channel string, msg []byte, keep History) (ID, error)

	// Join and Leave say what this node wants to hear, and do not wait: what
	// cannot be done at once is done when the server is there. The last word
	// about a channel counts; each may be said more than once.
	Join(channels ...string)
	Leave(channels ...string)

	// Replay calls f with what is kept of a channel behind after, oldest first,
	// and returns the ID of the newest that there ever was, or zero where
	// nothing is kept. msg is borrowed until f returns. After an ID with the Epoch
	// zero comes all that is kept; an Epoch which is not the channel's is
	// ErrEpoch, with the newest ID and no call of f. With f nil it only tells
	// the newest.
	Replay(ctx context.Context, channel string, after ID, f func(id ID, msg []byte)) (newest ID, err error)

	// Up tells whether the server could be reached when last tried.
	Up() bool

	// Close ends it. Nothing is said to the Sink afterwards.
	Close() error
}

// Sink hears what a Broker has for this node. Its methods return at once, and
// do not call the Broker, which may hold locks.
type Sink interface {
	// Message is one that was published, by whomever: in order of each publisher
	// and channel and, if it is kept, of its Offset. One that is kept may come
	// twice, another may not; what was said while the link was lost is missing.
	// msg is borrowed until it returns.
	Message(channel string, id ID, msg []byte)

	// Joined says that from here on the channel is heard, for the first time or
	// again after a loss: what was published between is only to be had by
	// Replay. It comes before anything that is newer.
	Joined(channel string)
}

// MaxMessage bounds one message's payload.
const MaxMessage = 1 << 20

// ErrEpoch says that an ID is of a history that is gone: the server has lost it,
// or it has run out.
var ErrEpoch = errors.New("the history that this id is of is gone")

// History says what is kept of a channel: the newest Size messages, each for
// TTL. Zero value: nothing.
type History struct {
	Size int
	TTL  time.Duration
}

// Kept tells whether it keeps anything.
func (h History) Kept() bool { return h.Size > 0 && h.TTL > 0 }

// ID is a message's place in its channel: Offsets are consecutive from 1 on, as
// long as the history lives. A new one has another Epoch, never zero. Zero
// value: not kept.
type ID struct{ Epoch, Offset uint64 }

// Append appends it as clients see it: <epoch>-<offset>.
func (id ID) Append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, id.Epoch, 10)
	dst = append(dst, '-')
	return strconv.AppendUint(dst, id.Offset, 10)
}

func (id ID) String() string { return string(id.Append(nil)) }

// ParseID reads what Append writes, and nothing else.
func ParseID(text string) (id ID, ok bool) {
	for i := range len(text) {
		if text[i] == '-' {
			epoch, ok1 := number(text[:i])
			offset, ok2 := number(text[i+1:])
			return ID{epoch, offset}, ok1 && ok2 && epoch != 0
		}
	}
	return ID{}, false
}

// number reads decimal digits and no sign.
func number(digits string) (n uint64, ok bool) {
	if digits == "" || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}
