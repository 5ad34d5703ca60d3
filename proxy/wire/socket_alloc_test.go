//go:build linux && !race

package wire

import "testing"

// A question and its answer, with a wait at either end.
func TestSettledAllocatesNothing(t *testing.T) {
	g := newGuard(t)
	a, b := tcp(t)
	near, far := g.conn(t, a), g.conn(t, b)
	if !near.settle() || !far.settle() {
		t.Fatal("it does not settle")
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for far.Fill(100) == nil && far.Write(far.Buffered(), nil) == nil {
			far.Skip(len(far.Buffered()))
		}
	}()
	word := []byte("word")
	n := testing.AllocsPerRun(2000, func() {
		must(t, near.Write(word, nil))
		must(t, near.Fill(100))
		near.Skip(len(near.Buffered()))
	})
	near.Interrupt()
	far.Interrupt()
	if <-ended; n > 0 {
		t.Errorf("%v allocations", n)
	}
}
