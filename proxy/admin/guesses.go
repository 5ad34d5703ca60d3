package admin

import (
	"net/netip"
	"sync"
	"time"
)

const (
	freeGuesses = 10               // of an address, at once
	guessEvery  = 10 * time.Second // and then: 8,640 a day, of tokens that are longer than a word
	mostGuesses = 1024             // addresses that are told apart
	tellEvery   = time.Minute
)

// guesses slows down who tries tokens. It is by address, so that whoever guesses
// cannot lock out the operator, who is elsewhere; addresses beyond those that
// there is room for count as one. The zero value is ready.
type guesses struct {
	mu    sync.Mutex
	until map[netip.Addr]time.Time // guarded by mu; when the last guess is forgiven
	told  time.Time                // guarded by mu
	wrong int                      // guarded by mu; since then
}

// judge notes a guess. wait: who has made too many, and hears nothing of this
// one, may try again then. tell: so many were wrong since it was last said.
func (g *guesses) judge(who netip.Addr, right bool, now time.Time) (wait time.Duration, tell int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	until, known := g.until[who]
	if !known && len(g.until) >= mostGuesses && !g.forgive(now) {
		who = netip.Addr{}
		until = g.until[who]
	}
	if spare := now.Add((freeGuesses - 1) * guessEvery); until.After(spare) {
		wait = until.Sub(spare)
	}
	if right && wait == 0 {
		return 0, 0
	}
	if wait == 0 {
		g.note(who, until, now)
	}
	if g.wrong++; now.Sub(g.told) < tellEvery {
		return wait, 0
	}
	tell, g.wrong, g.told = g.wrong, 0, now
	return wait, tell
}

// note holds a wrong guess against an address. Called with mu held.
func (g *guesses) note(who netip.Addr, until, now time.Time) {
	if g.until == nil {
		g.until = make(map[netip.Addr]time.Time)
	}
	if until.Before(now) {
		until = now
	}
	g.until[who] = until.Add(guessEvery)
}

// forgive makes room, and tells whether it did. Called with mu held.
func (g *guesses) forgive(now time.Time) bool {
	for who, until := range g.until {
		if !until.After(now) {
			delete(g.until, who)
		}
	}
	return len(g.until) < mostGuesses
}
