package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"multiserver/proxy/certs/certstest"
)

// board is a Shared in memory.
type board struct {
	mu   sync.Mutex
	keys map[int64][32]byte
	away bool
	asks int
}

func (b *board) Keys(_ context.Context, from int64, n int) (out [][32]byte, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asks++; b.away {
		return nil, errors.New("away")
	}
	for e := from; e < from+int64(n); e++ {
		if _, ok := b.keys[e]; !ok {
			b.keys[e] = [32]byte{byte(e), byte(len(b.keys)), 1}
		}
		out = append(out, b.keys[e])
	}
	return out, nil
}

func TestSessionsAreResumedByOtherNodes(t *testing.T) {
	b := &board{keys: map[int64][32]byte{}}
	dir := t.TempDir()
	ca := certstest.NewCA(t)
	cert, key := ca.Files(dir, "a", "a.test")
	var nodes []*stage
	for range 2 {
		o := Options{Shared: b, Pairs: []Pair{{Cert: cert, Key: key}}}
		s := newStage(t, o)
		s.share(t.Context())
		s.look(false)
		nodes = append(nodes, s)
	}
	conf := &tls.Config{ServerName: "a.test", RootCAs: ca.Pool(), ClientSessionCache: tls.NewLRUClientSessionCache(1)}
	for i := range 4 {
		if st, err := nodes[i%2].agree(conf); err != nil || st.DidResume != (i > 0) {
			t.Errorf("%d: resumed %v, %v", i, st.DidResume, err)
		}
	}
	nodes[0].share(t.Context())
	if b.asks != 2 {
		t.Errorf("asked %d times, want once for each node", b.asks)
	}
}

func TestTicketKeysWhileNobodySharesThem(t *testing.T) {
	b := &board{keys: map[int64][32]byte{}, away: true}
	s := newStage(t, Options{Shared: b}, "a.test")
	for range 3 {
		s.share(t.Context())
	}
	if n := s.log.count("not shared"); n != 1 || b.asks != 3 {
		t.Errorf("%d lines, asked %d times", n, b.asks)
	}
	b.away = false
	s.share(t.Context())
	now := time.Now()
	e := epoch(now)
	first := func(after time.Duration) [32]byte { s.tickets.settle(now.Add(after)); return s.tickets.set[0] }
	if first(0) != b.keys[e] {
		t.Error("the common key is not the first")
	}
	for _, older := range []int64{e + 1, e - 1, e - 2} {
		if !slices.Contains(s.tickets.set, b.keys[older]) {
			t.Errorf("that of epoch %+d is not taken", older-e)
		}
	}
	if first(TicketAge) != b.keys[e+1] {
		t.Error("the next epoch's key does not follow")
	}
	if first(2*TicketAge) != s.tickets.own[0] {
		t.Error("not on its own after that")
	}
}

func TestOwnTicketKeysRotate(t *testing.T) {
	var k tickets
	now := time.Now()
	for i, after := range []time.Duration{0, time.Hour, TicketAge, 2 * TicketAge, 3 * TicketAge} {
		changed := k.settle(now.Add(after))
		if changed != (after != time.Hour) || len(k.set) > ticketKeys {
			t.Errorf("%d: changed %v, %d keys", i, changed, len(k.set))
		}
	}
}
