package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

func TestAGapIsFilledBeforeAnythingNewer(t *testing.T) {
	s := newStage(t)
	a := s.hub(keeps)
	link := &faulty{Broker: s.m.Node()}
	b := s.hub(keeps, func(o *Options) { o.Broker = link })
	f, _ := s.enter(b, "kept")
	s.say(a, "kept", "1")
	s.hears(f, "1")
	link.set(func() { link.deaf = true })
	s.say(a, "kept", "2")
	s.say(a, "kept", "3")
	link.set(func() { link.deaf = false })
	s.say(a, "kept", "4")
	s.hears(f, "1", "2", "3", "4")

	link.set(func() { link.deaf = true })
	s.say(a, "kept", "5")
	link.set(func() { link.deaf = false })
	b.Joined("kept") // as brokers say when the link is back
	s.hears(f, "1", "2", "3", "4", "5")
	if got := b.Stats.Gaps.Load(); got != 1 {
		t.Errorf("%d gaps", got)
	}
}

func TestALossWhileAGapIsFilledIsAGapToo(t *testing.T) {
	s := newStage(t)
	a := s.hub(keeps)
	link := &faulty{Broker: s.m.Node()}
	b := s.hub(keeps, func(o *Options) { o.Broker = link })
	f, _ := s.enter(b, "kept")
	s.say(a, "kept", "1")
	s.hears(f, "1")
	link.set(func() { link.deaf = true })
	s.say(a, "kept", "2")
	link.set(func() {
		link.replayed = func() {
			s.say(a, "kept", "3")
			b.Joined("kept")
			link.set(func() { link.deaf = false })
			s.say(a, "kept", "4")
		}
	})
	b.Joined("kept")
	s.hears(f, "1", "2", "3", "4")
}

func TestWhatCannotBeHadAnyMoreIsCounted(t *testing.T) {
	s := newStage(t)
	a := s.hub(keeps)
	link := &faulty{Broker: s.m.Node()}
	b := s.hub(keeps, func(o *Options) { o.Broker = link })
	f, _ := s.enter(b, "kept")
	s.say(a, "kept", "0")
	s.hears(f, "0")
	link.set(func() { link.deaf = true })
	want := []string{"0"}
	for i := range 15 {
		s.say(a, "kept", fmt.Sprint("m", i))
	}
	link.set(func() { link.deaf = false })
	s.say(a, "kept", "end")
	for i := 6; i < 15; i++ {
		want = append(want, fmt.Sprint("m", i))
	}
	s.hears(f, append(want, "end")...)
	if got := b.Stats.Lost.Load(); got != 6 {
		t.Errorf("%d lost", got)
	}
}

func TestAnErrorOfTheBrokerShowsOnce(t *testing.T) {
	away := errors.New("away")
	for _, lost := range []bool{false, true} {
		s := newStage(t)
		link := &faulty{Broker: s.m.Node()}
		h := s.hub(keeps, func(o *Options) { o.Broker = link })
		f, _ := s.enter(h, "kept", "plain")
		link.set(func() { link.publish, link.lost = away, lost })
		for _, channel := range []string{"kept", "plain"} {
			if _, err := h.Publish(context.Background(), Post{Channel: channel, Data: []byte(channel)}); err != away {
				t.Errorf("lost %v: %v", lost, err)
			}
		}
		link.set(func() { link.publish, link.lost = nil, false })
		s.say(h, "kept", "end")
		s.until("the last is heard", func() bool { return slices.Contains(f.words(), "end") })
		got := f.words()
		if slices.Sort(got); !slices.Equal(got, []string{"end", "kept", "plain"}) {
			t.Errorf("lost %v: heard %q", lost, got)
		}
	}
}

func TestAClientResumesWhereItWas(t *testing.T) {
	s := newStage(t)
	a, b := s.hub(keeps), s.hub(keeps)
	s.enter(a, "kept")
	var ids []ID
	for i := range 12 {
		ids = append(ids, s.say(b, "kept", fmt.Sprint(i)))
	}
	f := func(since ID, want ...string) {
		t.Helper()
		m := new(fake)
		c := s.conn(b, m, Who{ID: NewID()})
		if why := c.Resume("kept", since); why != OK {
			t.Fatal(why)
		}
		s.joined(b, "kept")
		s.hears(m, want...)
		s.say(a, "kept", "new")
		s.hears(m, append(want, "new")...)
		c.Leave()
	}
	f(ids[9], "10", "11")
	f(ids[11], "new")
	f(ID{ids[0].Epoch, ids[11].Offset + 2})
	f(ID{7, 7}, fmt.Sprintf(`{"type":"reset","channel":"kept","id":"%d-15"}`, ids[0].Epoch))
}

func TestAClientIsToldThatItMissedSomething(t *testing.T) {
	s := newStage(t)
	h := s.hub(keeps)
	first := s.say(h, "kept", "0")
	for i := range 14 {
		s.say(h, "kept", fmt.Sprint(i+1))
	}
	f := new(fake)
	s.conn(h, f, Who{ID: "back"}).Resume("kept", first)
	want := []string{fmt.Sprintf(`{"type":"reset","channel":"kept","id":"%d-15"}`, first.Epoch)}
	for i := 5; i < 15; i++ {
		want = append(want, fmt.Sprint(i))
	}
	s.hears(f, want...)
}

func TestNothingIsMissedOrTwiceWhileOneResumes(t *testing.T) {
	s := newStage(t)
	a, b := s.hub(keeps), s.hub(keeps)
	const n = 300
	first := s.say(a, "kept", "0")
	s.enter(b, "kept")
	var all sync.WaitGroup
	all.Go(func() {
		for i := 1; i < n; i++ {
			s.say(a, "kept", fmt.Sprint(i))
		}
	})
	var resumed []*fake
	for range 20 {
		m := new(fake)
		s.conn(b, m, Who{ID: NewID()}).Resume("kept", first)
		resumed = append(resumed, m)
	}
	all.Wait()
	for _, m := range resumed {
		last := fmt.Sprint(n - 1)
		s.until("all are heard", func() bool { w := m.words(); return len(w) > 0 && w[len(w)-1] == last })
		before := 0
		for _, w := range m.words() {
			var i int
			if _, err := fmt.Sscan(w, &i); err != nil {
				continue // a reset: the history is short
			}
			if i != before+1 && before != 0 {
				t.Fatalf("%d behind %d: %q", i, before, m.words())
			}
			before = i
		}
	}
}

func TestAMemberOfAFreshChannelMissesNothing(t *testing.T) {
	s := newStage(t)
	a, b := s.hub(keeps), s.hub(keeps)
	for i := range 50 {
		channel := fmt.Sprint("kept", i)
		f := new(fake)
		s.conn(b, f, Who{ID: NewID()}).Subscribe(channel)
		s.until("its history is known", func() bool {
			sh := b.shard(channel)
			sh.mu.Lock()
			defer sh.mu.Unlock()
			return sh.channels[channel].known
		})
		s.say(a, channel, "at once") // joined or not
		s.hears(f, "at once")
	}
}
