package hub

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// diary is what members were called for, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(what string, i int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprint(what, " ", i))
}

type noted struct {
	d *diary
	i int
}

func (n *noted) Near() int64           { n.d.note("near", n.i); return 0 }
func (n *noted) Post(*Message) Verdict { n.d.note("post", n.i); return Written }
func (n *noted) Close(uint16, string)  {}

func TestMembersAreLookedAtTogetherBeforeTheyAreWrittenTo(t *testing.T) {
	s := newStage(t)
	h, d := s.hub(), &diary{}
	const n = together + 1
	for i := range n {
		if why := s.conn(h, &noted{d, i}, Who{ID: NewID()}).Subscribe("a"); why != OK {
			t.Fatal(why)
		}
	}
	var want []string
	for _, part := range [][2]int{{0, together}, {together, n}} {
		for _, what := range []string{"near", "post"} {
			for i := part[0]; i < part[1]; i++ {
				want = append(want, fmt.Sprint(what, " ", i))
			}
		}
	}
	s.say(h, "a", "x")
	if d.mu.Lock(); !slices.Equal(d.lines, want) {
		t.Errorf("%q, want %q", d.lines, want)
	}
	d.mu.Unlock()
}
