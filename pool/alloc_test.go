//go:build !race

package pool

import (
	"testing"

	"multiserver/pool/balance"
	"multiserver/proxy/wire"
)

func TestAllocTake(t *testing.T) {
	for _, row := range balance.Table {
		for _, most := range []int{0, 1} { // no limit, and all full but the last one tried
			p := newPool(t, func(o *Options) { o.Balance, o.Queue = row.Build, 10 })
			p.Set(nowhere(3, func(t *Target) { t.Max = most }))
			if most > 0 {
				p.Pick(1, new(Tried))
				p.Pick(2, new(Tried))
			}
			var tried Tried
			key := uint64(0)
			if n := testing.AllocsPerRun(10000, func() {
				key++
				tried.Reset()
				u, _ := p.Take(nil, key, &tried)
				u.Done(nil, 200)
			}); n != 0 {
				t.Errorf("%s with a limit of %d: %v allocations, want 0", row.Name, most, n)
			}
		}
	}
}

func TestAllocEnter(t *testing.T) {
	g := gate(2, 10, patience)
	g.Enter(nil)
	if n := testing.AllocsPerRun(10000, func() {
		if g.Enter(nil) == nil {
			g.Leave()
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestAllocRefuse(t *testing.T) {
	g := gate(1, 0, patience)
	g.Enter(nil)
	if n := testing.AllocsPerRun(10000, func() { g.Enter(nil) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestAllocAskOnAKeptConnection(t *testing.T) {
	p := newPool(t, nil)
	p.Set([]Target{{Name: "a", Network: "tcp", Addr: echo(t), Weight: 1}})
	u := p.Upstreams()[0]
	var res wire.Response
	var request Request = get("/") // boxed once
	if n := testing.AllocsPerRun(2000, func() {
		l, f := u.Ask(nil, request, true, &res)
		if f != nil {
			t.Fatal(f)
		}
		l.Keep()
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestAllocAskOnASharedConnection(t *testing.T) {
	p := newPool(t, nil)
	p.Set([]Target{{Name: "a", Network: "tcp", Addr: echo(t), Weight: 1, Pipeline: 8}})
	u := p.Upstreams()[0]
	var res wire.Response
	var request Request = shared{get("/")} // boxed once
	if n := testing.AllocsPerRun(2000, func() {
		l, f := u.Ask(nil, request, true, &res)
		if f != nil {
			t.Fatal(f)
		}
		if l.seat == nil {
			t.Fatal("it is not shared")
		}
		l.Keep()
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
