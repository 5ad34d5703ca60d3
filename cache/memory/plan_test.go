package memory

import (
	"math/rand/v2"
	"testing"
)

func TestWhatSizeIsDividedInto(t *testing.T) {
	f := func(size, data int64, least int) {
		t.Helper()
		p, err := divide(size)
		if err != nil || p.data != data || p.least != least {
			t.Errorf("%d MiB: rings of %d MiB, entries of %d at least, %v", size>>20, p.data>>20, p.least, err)
		}
	}
	f(Least, 32<<20, 768)
	f(64<<20, 32<<20, 196)
	f(128<<20, 96<<20, 587)
	f(256<<20, 192<<20, 548)
	f(1<<30, 832<<20, 757)
	f(16<<30, 13376<<20, 762)
}

func TestThePartsAreNoMoreThanTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		size := Least + r.Int64N(1<<(27+r.IntN(14)))
		p, err := divide(size)
		if err != nil {
			t.Fatal(err)
		}
		most := entries(p.data, int64(p.least))
		if sum := fixed + p.data + most*perEntry + int64(p.slots)*rings*perSlot; sum > size {
			t.Fatalf("%d bytes are divided into %d: %+v", size, sum, p)
		}
		if p.least > leastMost+1 || p.slots < 1 || size > 1<<30 && p.data < size/4*3 {
			t.Fatalf("%d bytes: %+v", size, p)
		}
	}
}
