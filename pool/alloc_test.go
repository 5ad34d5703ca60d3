//go:build !race

package pool

import (
	"testing"

	"multiserver/proxy/wire"
)

func TestAllocPick(t *testing.T) {
	p := newPool(t, nil)
	set(p, newOrigin(t), newOrigin(t), newOrigin(t))
	var tried Tried
	if n := testing.AllocsPerRun(10000, func() {
		tried.Reset()
		p.Pick(42, &tried).Done(nil, 200)
	}); n != 0 {
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
