package session

import (
	"context"
	"errors"
	"time"
)

// Visit is one request's way with a session. It keeps its buffers: Reset it and
// use it again. Its zero value is ready.
type Visit struct {
	// Record is what was loaded; its Version is 0 if there is no session.
	Record Record

	// ID is that of the session: where the pointer leads to, if the client's token
	// is an old one.
	ID ID

	// Secure tells that the client came by TLS. Set it before Finish.
	Secure bool

	bearer  Bearer // what the client has shown
	shown   bool   // a token of ours
	moved   bool   // of an id that was rotated
	away    bool   // the store did not answer
	used    bool   // the backend got data, or has changed some
	offers  int
	request change
}

// change is what the backend asks for.
type change struct {
	list      []Change
	keys      []byte // of list, where they were escaped
	size      int    // of all X-Session-Set
	set       bool
	rotate    bool
	destroy   bool
	checks    bool // there is an If-Version
	ifVersion uint64
	maxAge    time.Duration
	pin       uint64
	digits    [20]byte // of pin
	bad       bool     // a field that cannot be read: nothing is done
}

// Reset makes the Visit ready for another request.
func (v *Visit) Reset() {
	v.Record.Reset()
	r := change{list: v.request.list[:0], keys: v.request.keys[:0]}
	*v = Visit{Record: v.Record, request: r}
}

// Used tells whether the answer depends on the session or has changed one: it
// is then this client's alone, unless it says otherwise.
func (v *Visit) Used() bool { return v.used }

// Outcome is how it goes on.
type Outcome uint8

// The outcomes. All but Go come only where the Options ask for them.
const (
	Go       Outcome = iota
	Away             // the store does not answer: 503
	Conflict         // someone else was first: 409
)

// maxOffers is how many cookies of our name are looked at: a page of a
// neighbouring host can plant some that clients send before ours.
const maxOffers = 4

// Offer looks for the client's token in the value of a Cookie field, and tells
// whether it has our cookie, of whatever worth. It asks no store; a request
// without the cookie costs nothing more.
func (s *Sessions) Offer(v *Visit, cookies []byte) (held bool) {
	for len(cookies) > 0 && !(held && v.shown) {
		var pair []byte
		pair, cookies = next(cookies)
		if token, ours := s.jar.token(pair); ours {
			held = true
			s.OfferToken(v, token)
		}
	}
	return held
}

// OfferToken looks at one token, from wherever.
func (s *Sessions) OfferToken(v *Visit, token []byte) {
	if v.shown || v.offers == maxOffers {
		return
	}
	v.offers++
	ring := s.opt.Keys.Ring()
	if ring == nil { // the keys are in a store that has not answered yet
		v.away = true
		return
	}
	switch ring.Verify(token, &v.bearer) {
	case Valid:
		v.shown = true
	case Malformed:
		s.refuse(MalformedToken)
	case Unknown:
		s.refuse(UnknownKey)
	case Forged:
		s.refuse(ForgedToken)
	}
}

// Begin loads the session of the token that was offered, if one was, and
// appends what the backend is told of it, as fields: X-Session-Id, -Version and
// -Data or -Omitted, and -Signature; or X-Session-Error.
func (s *Sessions) Begin(v *Visit, dst []byte) ([]byte, Outcome) {
	if !v.shown && !v.away { // fast path
		return dst, Go
	}
	now := time.Now().UnixMilli()
	var err error
	if v.shown {
		err = s.load(v, now)
	}
	switch {
	case err == nil && v.shown:
		s.Stats.Loaded.Add(1)
		v.used = true
		return s.tell(v, dst, now), Go
	case errors.Is(err, ErrNone):
		s.refuse(GoneSession)
		v.Record.Reset()
		v.shown = false
		return dst, Go
	}
	v.away = true
	s.refuse(AwayOnLoad)
	if s.opt.Fail {
		return dst, Away
	}
	return append(dst, "X-Session-Error: away\r\n"...), Go
}

// load fills v.Record. The store has a deadline of its own: a context that ends
// would be garbage with every request.
func (s *Sessions) load(v *Visit, now int64) error {
	if !s.breaker.pass(now) {
		s.refuse(BreakerShut)
		return ErrAway
	}
	err := s.follow(v, false)
	if err == nil && v.Record.Version < v.bearer.Version && s.fresh != nil {
		err = s.follow(v, true) // a copy, older than what this client has seen
	}
	if err == nil && v.Record.Version < v.bearer.Version { // a failover has lost it
		s.refuse(LaggingStore)
	}
	s.breaker.tell(errors.Is(err, ErrAway), now)
	return err
}

// follow reads the session of the client's token, through the pointers that
// rotations have left.
func (s *Sessions) follow(v *Visit, fresh bool) error {
	v.ID, v.moved = v.bearer.ID(), false
	for range hops {
		if err := s.read(v, fresh); err != nil {
			return err
		}
		if v.Record.Moved.Zero() {
			return nil
		}
		v.ID, v.moved = v.Record.Moved, true
	}
	return ErrNone
}

func (s *Sessions) read(v *Visit, fresh bool) error {
	if fresh {
		return s.fresh.Refresh(context.Background(), v.ID, &v.Record)
	}
	return s.opt.Store.Load(context.Background(), v.ID, &v.Record)
}

// tell appends the fields of a session.
func (s *Sessions) tell(v *Visit, dst []byte, now int64) []byte {
	dst = append(dst, "X-Session-Id: "...)
	id := len(dst)
	dst, _ = v.ID.AppendText(dst)
	dst = append(dst, "\r\nX-Session-Version: "...)
	dst = appendUint(dst, v.Record.Version)
	dst = append(dst, "\r\n"...)
	head := len(dst)
	dst = append(dst, "X-Session-Data: "...)
	data := len(dst)
	dst = v.Record.AppendJSON(dst)
	end := len(dst)
	if size := end - data; size > s.opt.Inline {
		s.Stats.Omitted.Add(1)
		data, end = 0, 0 // nothing, for the signature
		dst = append(dst[:head], "X-Session-Omitted: "...)
		dst = appendUint(dst, uint64(size))
	}
	dst = append(dst, "\r\n"...)
	if s.sign != nil {
		dst = append(dst, "X-Session-Signature: "...)
		dst = s.sign.append(dst, uint64(now/1000), dst[id:id+IDText], dst[data:end], v.Record.Version)
		dst = append(dst, "\r\n"...)
	}
	return dst
}
