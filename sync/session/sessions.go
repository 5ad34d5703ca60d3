package session

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"
)

// Options of New. Store and Keys must be given.
type Options struct {
	Store Store
	Keys  Keys
	Cookie

	Idle time.Duration // how long a session lasts that is not used; 30 min if 0
	Max  time.Duration // how long any lasts; 24 h if 0

	Timeout time.Duration // how long an answer waits for all that it changes; 250 ms if 0
	Grace   time.Duration // how long an id is good after its rotation; 30 s if 0
	Inline  int           // bytes of data that go into a field; 4096 if 0

	// Fail lets requests with a token, and answers with a change, fail while the
	// store is away: Away. Else they pass without a session.
	Fail bool
	// Strict tells of conflicts: Conflict. Else the change is left out.
	Strict bool
	// Sign, if not empty, is the key of X-Session-Signature, which shows backends
	// that a session comes from here.
	Sign []byte
}

// Keys gives the ring that is in force, or nil if there is none yet. A *Ring is
// Keys, and so is a *Keeper.
type Keys interface{ Ring() *Ring }

// Ring gives the ring itself.
func (r *Ring) Ring() *Ring { return r }

// Sessions is what a proxy asks about each request: Offer, Begin, Take and
// Finish, in this order, with a Visit. All methods may be called from many
// goroutines, with a Visit each.
type Sessions struct {
	Stats Stats

	opt     Options
	jar     *jar
	sign    *signer
	fresh   Refresher // the store, if it is one
	breaker breaker
	touched touched
}

// Refresher is a Store that keeps copies of a place far away.
type Refresher interface {
	// Refresh is Load, but never of a copy.
	Refresh(ctx context.Context, id ID, into *Record) error
}

// New makes Sessions. The store stays the caller's to close.
func New(opt Options) (*Sessions, error) {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&opt.Idle, 30*time.Minute)
	def(&opt.Max, 24*time.Hour)
	def(&opt.Timeout, 250*time.Millisecond)
	def(&opt.Grace, 30*time.Second)
	if opt.Inline == 0 {
		opt.Inline = 4096
	}
	if opt.Idle < time.Second || opt.Max < opt.Idle {
		return nil, fmt.Errorf("sessions: idle %v, at most %v: want a second or more, and the second not below the first", opt.Idle, opt.Max)
	}
	j, err := newJar(opt.Cookie)
	if err != nil {
		return nil, err
	}
	s := &Sessions{opt: opt, jar: j}
	s.fresh, _ = opt.Store.(Refresher)
	if len(opt.Sign) > 0 {
		s.sign = newSigner(opt.Sign)
	}
	return s, nil
}

// ByHeader names the field that bears tokens, in lower case, or "": they are in
// the cookie.
func (s *Sessions) ByHeader() string { return s.jar.field }

// Strip appends the value of a Cookie field without our cookie, which no
// backend is to see. Nothing appended: the field is to go.
func (s *Sessions) Strip(dst, cookies []byte) []byte { return s.jar.strip(dst, cookies) }

// Holds tells whether a Cookie field has our cookie in it, of whatever worth.
func (s *Sessions) Holds(cookies []byte) bool {
	for len(cookies) > 0 {
		var pair []byte
		pair, cookies = next(cookies)
		if _, ours := s.jar.token(pair); ours {
			return true
		}
	}
	return false
}

// Find loads the session that a backend knows by the text of its id, for the
// admin's listener. Errors: ErrNone, ErrAway.
func (s *Sessions) Find(ctx context.Context, text []byte, into *Record) error {
	id, ok := ParseID(text)
	if !ok || id == ringID { // the keys lie in the store, too
		into.Reset()
		return ErrNone
	}
	_, err := Follow(ctx, s.opt.Store, id, func(id ID) error { return load(ctx, s.opt.Store, id, into) })
	return err
}

// load makes a pointer an error, for Follow.
func load(ctx context.Context, s Store, id ID, into *Record) error {
	if err := s.Load(ctx, id, into); err != nil {
		return err
	}
	if !into.Moved.Zero() {
		return ErrMoved
	}
	return nil
}

// End drops the session that a backend knows by the text of its id.
func (s *Sessions) End(ctx context.Context, text []byte) error {
	id, ok := ParseID(text)
	if !ok || id == ringID {
		return ErrNone
	}
	return s.opt.Store.Drop(ctx, id)
}

func (s *Sessions) refuse(why Reason) { s.Stats.refused[why].Add(1) }

// newBearer makes an id that nobody has had.
func newBearer() (b Bearer) {
	rand.Read(b.Raw[:])
	return b
}
