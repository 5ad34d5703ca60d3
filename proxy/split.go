package proxy

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"time"

	"multiserver/cache"
)

// Split shares a route's requests among pools, as for a release that at first
// a few clients try. With a cookie, a client stays where it has been.
type Split struct {
	shares []Share
	whole  uint32
	cookie string // its name; "": none
	behind string // its attributes
}

// Share is one pool's part of a Split, in proportion to the others'.
type Share struct {
	Pool   *Pool
	Weight uint32
	Cache  *cache.Cache // of answers of that pool's; nil: the route's
}

// NewSplit returns a Split. cookie "": clients go now here, now there. ttl 0:
// the cookie ends with the browser.
//
// The cookie holds the pool's name and is not signed: a client that picks its
// pool gets what others get.
func NewSplit(shares []Share, cookie string, ttl time.Duration) Split {
	s := Split{shares: shares, cookie: cookie, behind: "; Path=/; HttpOnly; SameSite=Lax"}
	if ttl > 0 {
		s.behind += "; Max-Age=" + strconv.Itoa(int(ttl.Seconds()))
	}
	for _, sh := range shares {
		s.whole += sh.Weight
	}
	return s
}

// choose is the share of the pool that x's client has been at, if it still has
// one, else one by lot.
func (s *Split) choose(x *Exchange) *Share {
	if s.cookie != "" {
		if been := x.cookie(s.cookie); been != nil {
			for i := range s.shares {
				if sh := &s.shares[i]; sh.Weight > 0 && string(been) == sh.Pool.Name {
					return sh
				}
			}
		}
	}
	return s.draw(rand.Uint32N(max(s.whole, 1)))
}

// draw is the share that has the n-th of all tickets.
func (s *Split) draw(n uint32) *Share {
	for i := range s.shares {
		sh := &s.shares[i]
		if n < sh.Weight {
			return sh
		}
		n -= sh.Weight
	}
	return &s.shares[0]
}

// appendPlace tells the client at which pool it has been, unless it knows.
func (x *Exchange) appendPlace(dst []byte) []byte {
	if x.pool == nil {
		return dst
	}
	s := &x.route.Split
	if s.cookie == "" { // fast path
		return dst
	}
	if bytes.Equal(x.cookie(s.cookie), []byte(x.pool.Name)) {
		return dst
	}
	dst = append(append(append(dst, "Set-Cookie: "...), s.cookie...), '=')
	dst = append(append(dst, x.pool.Name...), s.behind...)
	if x.secure() {
		dst = append(dst, "; Secure"...)
	}
	return append(dst, crlf...)
}
