//go:build !race

package redis

import (
	"bytes"
	"testing"

	"multiserver/sync/link/place"
)

func TestUnpackAllocatesNothing_Alloc(t *testing.T) {
	text := bytes.Repeat([]byte("again and again "), 500)
	value, dst := pack("key", text, 7, true), make([]byte, 0, len(text))
	if n := testing.AllocsPerRun(100, func() { dst, _ = unpack(dst[:0], value, "key", 7) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestPushesNobodyWaitsForAllocateNothing_Alloc(t *testing.T) {
	r := &Redis{names: newNames("p:"), nudged: make(chan struct{}, 1)}
	name := r.names.record([]byte("key"))
	if n := testing.AllocsPerRun(100, func() { r.pushed(name) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestAMissWhileAwayAllocatesNothing_Alloc(t *testing.T) {
	r := &Redis{place: new(place.Place)}
	r.link.Store(new(link))
	r.breakers[0].trip("k")
	key := []byte("key")
	if n := testing.AllocsPerRun(100, func() { r.Find(nil, key) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
