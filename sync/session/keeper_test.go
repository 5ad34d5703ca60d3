package session_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/sync/session"
	"multiserver/sync/session/memory"
)

// nodes are keepers over one store, and what each says of a token of the other.
func agree(t *testing.T, nodes []*session.Keeper) {
	t.Helper()
	for i, signer := range nodes {
		b := session.Bearer{Raw: [16]byte{byte(i)}, Version: 1}
		token := signer.Ring().Append(nil, &b)
		for j, other := range nodes {
			var got session.Bearer
			if v := other.Ring().Verify(token, &got); v != session.Valid {
				t.Errorf("node %d says %v to a token of node %d", j, v, i)
			}
		}
	}
}

func TestNodesAgreeOnKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(0)
		defer store.Close()
		nodes := make([]*session.Keeper, 5)
		var start sync.WaitGroup
		for i := range nodes {
			start.Go(func() { nodes[i] = session.Keep(store, nil) })
		}
		start.Wait()
		for _, k := range nodes {
			defer k.Close()
		}
		time.Sleep(20 * time.Second)
		agree(t, nodes)

		var got session.Bearer
		first := nodes[0].Ring().Append(nil, &session.Bearer{Raw: [16]byte{7}})
		for range 5 { // rotation logs nobody out, nor does a node that has not seen it yet
			if err := nodes[1].Rotate(context.Background()); err != nil {
				t.Fatal(err)
			}
			agree(t, nodes)
			time.Sleep(3 * time.Minute)
			agree(t, nodes)
		}
		if v := nodes[2].Ring().Verify(first, &got); v != session.Valid {
			t.Errorf("an old token: %v", v)
		}
		if now := nodes[0].Ring().Append(nil, &session.Bearer{Raw: [16]byte{7}}); string(now) == string(first) {
			t.Error("the first key still signs")
		}

		if err := store.Drop(context.Background(), session.RingID); err != nil { // as a server does that begins empty
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		agree(t, nodes)
		if v := nodes[3].Ring().Verify(first, &got); v != session.Valid {
			t.Errorf("an old token, after the store has lost the keys: %v", v)
		}
	})
}

// Nodes that begin at once, over a store that takes its time, agree from their
// first token on: none signs with a key that another is about to take back.
func TestNodesThatBeginAtOnceAgreeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			store := slow{memory.Open(0)}
			nodes := make([]*session.Keeper, 3)
			for i := range nodes {
				nodes[i] = session.Keep(store, nil)
			}
			for _, k := range nodes {
				if err := k.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			agree(t, nodes)
			for _, k := range nodes {
				k.Close()
			}
			store.Close()
		}
	})
}

// A key that its node did not live to take back stays.
func TestAKeyThatNobodyTakesBackIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.Open(0)
		defer store.Close()
		p := session.Patch{Create: true, Life: time.Hour}
		for _, name := range []string{"one", "two"} {
			value := fmt.Appendf(nil, `{"secret":"c2l4dGVlbiBieXRlcyBvciBtb3Jl","made":%d}`, time.Now().UnixMilli())
			p.Changes = append(p.Changes, session.Change{Key: []byte(name), Value: value})
		}
		if _, err := store.Patch(t.Context(), session.RingID, &p); err != nil {
			t.Fatal(err)
		}
		k := session.Keep(store, nil)
		defer k.Close()
		time.Sleep(5 * time.Second)
		if k.Ring() == nil {
			t.Error("no ring")
		}
	})
}

// slow is a store at the end of a network.
type slow struct{ session.Store }

func (s slow) Load(ctx context.Context, id session.ID, into *session.Record) error {
	time.Sleep(rand.N(4 * time.Millisecond))
	defer func() { time.Sleep(rand.N(4 * time.Millisecond)) }()
	return s.Store.Load(ctx, id, into)
}

func (s slow) Patch(ctx context.Context, id session.ID, p *session.Patch) (uint64, error) {
	time.Sleep(rand.N(4 * time.Millisecond))
	defer func() { time.Sleep(rand.N(4 * time.Millisecond)) }()
	return s.Store.Patch(ctx, id, p)
}

func TestAStoreThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &frail{Store: memory.Open(0)}
		defer store.Close()
		store.away.Store(true)
		k := session.Keep(store, nil)
		defer k.Close()
		time.Sleep(time.Minute)
		if k.Ring() != nil {
			t.Error("a ring from nowhere")
		}
		store.away.Store(false)
		time.Sleep(time.Second)
		if k.Ring() == nil {
			t.Error("no ring")
		}
	})
}
