//go:build !race

package hub

import (
	"fmt"
	"testing"
)

// sink is a member that costs nothing.
type nothing struct{}

func (nothing) Post(*Message) Verdict { return Written }
func (nothing) Close(uint16, string)  {}

func TestAllocFanOut(t *testing.T) {
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for i := range 1000 {
		c, _ := h.Enter(nothing{}, Who{ID: fmt.Sprint(i)})
		c.Subscribe("room")
	}
	ch := h.shard("room").channels["room"]
	m := newMessage("room", ID{}, Text, "500", []byte("hello"))
	allocs := testing.AllocsPerRun(100, func() {
		ch.queue, ch.busy = append(ch.queue[:0], m), true
		h.drain(ch, 1)
	})
	if allocs > 2 { // the queue's array
		t.Errorf("a message to 1,000 members allocates %v times", allocs)
	}
	if got := testing.AllocsPerRun(100, func() { newMessage("room", ID{}, Text, "", m.Data) }); got > 2 {
		t.Errorf("a message is %v allocations, want itself and its frame", got)
	}
}
