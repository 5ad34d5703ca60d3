package session

import (
	"context"
	"encoding/base64"
	"errors"
	"time"
)

// What a Store can say; callers branch on them with errors.Is.
var (
	ErrNone     = errors.New("session: none under this id") // never was, ended, or dropped
	ErrMoved    = errors.New("session: moved to another id")
	ErrConflict = errors.New("session: changed by someone else")
	ErrLimit    = errors.New("session: more than a session may hold")
	ErrAway     = errors.New("session: the store does not answer")
)

// How much a session holds, in every store: who outgrows them is refused with
// ErrLimit and nothing is changed.
const (
	MaxKeys  = 64
	MaxKey   = 255      // bytes of a key
	MaxBytes = 64 << 10 // of all keys and values together
	MaxPatch = 16 << 10 // of a patch as it comes from a backend
)

// Store keeps records under ids. Five operations, each atomic, by any number of
// nodes at once. All methods may be called from many goroutines.
//
// Whatever is under an id is a session or a pointer. The pointer is what
// rotation leaves: it has no values, says where the session went, and ends by
// itself. A store does not follow pointers: Follow does, for all of them.
//
// Both ends of a session's life, Idle and End, are checked when it is read: one
// that has ended is ErrNone, in every method, whether or not the store has
// removed it yet. Removing it in time is the store's business, too.
//
// ErrAway wraps or is every failure that speaks of the store and not of the
// session. After it, a change may have been done or not. No method waits longer
// than ctx allows, and a store has a deadline of its own for a ctx without one.
type Store interface {
	// Load fills into, which it resets first and whose buffers it reuses; what it
	// fills in is the caller's. A pointer is no error: into.Moved is set and
	// nothing else but into.End. Errors: ErrNone, ErrAway; then into is empty.
	Load(ctx context.Context, id ID, into *Record) error

	// Patch changes what p says, key by key, and leaves the other keys alone, so
	// that patches of different keys merge, whoever makes them at the same time;
	// of one key the last wins. The session's version grows by one and is
	// returned. p is borrowed until Patch returns.
	//
	// Errors: ErrNone, if it is not there and p.Create is not set; ErrConflict, if
	// p.IfVersion is set and is not its version, or it is not there; ErrMoved, if
	// a pointer is there; ErrLimit; ErrAway.
	Patch(ctx context.Context, id ID, p *Patch) (version uint64, err error)

	// Touch makes the idle end now+idle, as a Patch without changes would, but
	// leaves the version alone. Errors: ErrNone, ErrMoved, ErrAway.
	Touch(ctx context.Context, id ID, idle time.Duration) error

	// Rotate moves the session, its version and its times to another id, under
	// which nothing is, and leaves a pointer for grace. A patch that was
	// acknowledged before Rotate returns is in what was moved. Of several at once
	// one wins. Errors: ErrNone; ErrMoved, if a pointer is there: who has only an
	// old id must not get at a new one; ErrConflict, if it was changed so often
	// meanwhile that Rotate gave up; ErrAway.
	Rotate(ctx context.Context, from, to ID, grace time.Duration) error

	// Drop removes what is under id, session or pointer, at once. That nothing is
	// there is no error. A patch that comes later does not bring it back, unless
	// it may create. Errors: ErrAway.
	Drop(ctx context.Context, id ID) error

	// Close ends what the store has running, and waits for it. What is called
	// later is ErrAway.
	Close() error
}

// ID is what a store knows a session by: the first half of SHA-256 of the id
// that the client bears. Who reads the store cannot become a client with it.
type ID [16]byte

// IDText is the length of an ID's text: base64url without padding.
const IDText = 22

// AppendText appends the 22 bytes of the ID's text. The error is always nil.
func (id ID) AppendText(dst []byte) ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(dst, id[:]), nil
}

func (id ID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// Zero tells whether it is no id.
func (id ID) Zero() bool { return id == ID{} }

// ParseID reads an ID's text; of two texts of one ID it takes only that which
// AppendText writes.
func ParseID(text []byte) (id ID, ok bool) {
	if len(text) != IDText {
		return ID{}, false
	}
	n, err := strict.Decode(id[:], text)
	return id, err == nil && n == len(id)
}

var strict = base64.RawURLEncoding.Strict()

// Patch is a change of a session.
type Patch struct {
	Changes []Change

	// IfVersion, if not 0, is what the version must be.
	IfVersion uint64

	// Create lets the session begin if it is not there; its version is then 1,
	// its End now+Life.
	Create bool
	Life   time.Duration

	// Idle makes the idle end now+Idle, if that is later than it is and not later
	// than End. 0 leaves it alone, or makes it End where the session begins.
	Idle time.Duration

	// MaxAge, if not 0, makes both ends now+MaxAge, earlier or later than they
	// were: so long it lasts, used or not. It comes after Life and Idle.
	MaxAge time.Duration
}

// Change is what becomes of one key. Keys are not repeated in a Patch.
type Change struct {
	Key   []byte // UTF-8, unescaped, at most MaxKey bytes
	Value []byte // one JSON value without blanks around it; nil deletes the key
}

// hops are how many pointers Follow walks: each is a rotation within one grace.
const hops = 4

// Follow runs f for id, and where f says ErrMoved once more for the id that the
// pointer there names. It gives the id that f was last run for.
func Follow(ctx context.Context, s Store, id ID, f func(id ID) error) (ID, error) {
	var pointer Record
	for range hops {
		err := f(id)
		if !errors.Is(err, ErrMoved) {
			return id, err
		}
		if err := s.Load(ctx, id, &pointer); err != nil {
			return id, err
		}
		if !pointer.Moved.Zero() {
			id = pointer.Moved
		}
	}
	return id, ErrNone
}
