package hubtest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"multiserver/sync/hub"
)

func ids(t *testing.T, s *Stage, channel string) {
	s.needHistory(t)
	a, b, c := s.Node(t), s.Node(t), s.Node(t)
	c.Enter(channel)
	first := a.Say(channel, "m1", hour)
	if first.Epoch == 0 || first.Offset != 1 {
		t.Fatalf("the first has the id %v", first)
	}
	for i := 2; i <= 20; i++ {
		from := a
		if i%2 == 0 {
			from = b
		}
		if got, want := from.Say(channel, word(i), hour), (hub.ID{Epoch: first.Epoch, Offset: uint64(i)}); got != want {
			t.Fatalf("id %v, want %v", got, want)
		}
	}
	Until(t, "all are heard", func() bool { return len(c.Heard(channel)) == 20 })
	for i, h := range c.Heard(channel) {
		if want := (Heard{channel, hub.ID{Epoch: first.Epoch, Offset: uint64(i + 1)}, word(i + 1)}); h != want {
			t.Errorf("heard %v, want %v", h, want)
		}
	}
}

func behind(t *testing.T, s *Stage, channel string) {
	s.needHistory(t)
	a, b := s.Node(t), s.Node(t)
	var said []Heard
	for i := range 10 {
		said = append(said, Heard{channel, a.Say(channel, word(i), hour), word(i)})
	}
	f := func(after hub.ID, want []Heard) {
		t.Helper()
		got, newest, err := b.Kept(channel, after)
		if err != nil || newest != said[9].ID || !slices.Equal(got, want) {
			t.Errorf("behind %v: %v, newest %v, %v; want %v", after, got, newest, err, want)
		}
	}
	f(hub.ID{}, said)
	f(said[3].ID, said[4:])
	f(said[9].ID, nil)
	f(hub.ID{Epoch: said[0].ID.Epoch}, said)
	f(hub.ID{Epoch: said[0].ID.Epoch, Offset: 1000}, nil)
}

func size(t *testing.T, s *Stage, channel string) {
	s.needHistory(t)
	a := s.Node(t)
	few := hub.History{Size: 5, TTL: time.Hour}
	for i := 1; i <= 1000; i++ {
		a.Say(channel, word(i), few)
	}
	got, newest, err := a.Kept(channel, hub.ID{})
	if err != nil || newest.Offset != 1000 || len(got) < 5 || len(got) > 500 {
		t.Fatalf("%d messages are kept, the newest is %v, %v", len(got), newest, err)
	}
	for i, h := range got {
		if want := 1000 - len(got) + 1 + i; h.Msg != word(want) || h.ID.Offset != uint64(want) {
			t.Fatalf("%v where %d belongs", h, want)
		}
	}
}

func age(t *testing.T, s *Stage, channel string) {
	s.needHistory(t)
	a := s.Node(t)
	a.Say(channel, "soon over", hub.History{Size: 10, TTL: 50 * time.Millisecond})
	Until(t, "it is over", func() bool {
		got, _, err := a.Kept(channel, hub.ID{})
		return err == nil && len(got) == 0
	})
	last := a.Say(channel, "stays", hour)
	a.Say(channel, "soon over", hub.History{Size: 10, TTL: 50 * time.Millisecond})
	Until(t, "only one is over", func() bool {
		got, newest, err := a.Kept(channel, hub.ID{})
		return err == nil && slices.Equal(words(got), []string{"stays"}) && newest.Epoch == last.Epoch && newest.Offset == last.Offset+1
	})
}

func epoch(t *testing.T, s *Stage, channel string) {
	s.needHistory(t)
	a := s.Node(t)
	if _, newest, err := a.Kept(channel, hub.ID{}); err != nil || newest != (hub.ID{}) {
		t.Errorf("where nothing is kept: %v, %v", newest, err)
	}
	if _, _, err := a.Kept(channel, hub.ID{Epoch: 7, Offset: 1}); !errors.Is(err, hub.ErrEpoch) {
		t.Errorf("where nothing is kept, an id is taken for known: %v", err)
	}
	id := a.Say(channel, "m", hour)
	got, newest, err := a.Kept(channel, hub.ID{Epoch: id.Epoch + 1, Offset: 1})
	if !errors.Is(err, hub.ErrEpoch) || newest != id || len(got) != 0 {
		t.Errorf("another epoch: %v, newest %v, %v", got, newest, err)
	}
}

func (s *Stage) needHistory(t *testing.T) {
	if s.NoHistory {
		t.Skip("it keeps nothing")
	}
}
