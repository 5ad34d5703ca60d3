package hubtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/sync/hub"
)

var hour = hub.History{Size: 100, TTL: time.Hour}

// Run holds a broker against its contract. stage is called for each test, and
// may give the same server each time: channels are named after the test.
func Run(t *testing.T, stage func(t testing.TB) *Stage) {
	for _, c := range []struct {
		name string
		f    func(t *testing.T, s *Stage, channel string)
	}{
		{"OthersHearAndSoDoesThePublisher", heard},
		{"OnlyJoinedChannelsAreHeard", apart},
		{"InOrderOfEachPublisher", order},
		{"AnyBytesPass", bytesPass},
		{"ManyChannelsAtOnce", many},
		{"LeaveAndJoinAgain", again},
		{"HistoryHasConsecutiveIDs", ids},
		{"HistoryIsReplayedBehindAnID", behind},
		{"HistoryIsBoundedBySize", size},
		{"HistoryIsBoundedByTime", age},
		{"AnUnknownEpochIsToldApart", epoch},
		{"ALimitInTimeIsKept", limit},
		{"ALostLinkIsJoinedAgain", restart},
		{"WhatWasKeptInTheGapIsThere", gap},
		{"AFailoverIsSurvived", failover},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stage(t)
			c.f(t, s, "test:"+c.name)
		})
	}
}

func heard(t *testing.T, s *Stage, channel string) {
	a, b := s.Node(t), s.Node(t)
	a.Enter(channel)
	b.Enter(channel)
	a.Say(channel, "hello", hub.History{})
	for _, n := range []*Node{a, b} {
		Until(t, "hello is heard", func() bool { return slices.Equal(words(n.Heard(channel)), []string{"hello"}) })
	}
	if got := b.Heard(channel)[0].ID; got != (hub.ID{}) {
		t.Errorf("a message that is not kept has the id %v", got)
	}
}

func apart(t *testing.T, s *Stage, channel string) {
	a, b := s.Node(t), s.Node(t)
	b.Enter(channel)
	a.Say(channel+"x", "other", hub.History{})
	a.Say(channel[:len(channel)-1], "shorter", hub.History{})
	a.Say(channel, "ours", hub.History{})
	Until(t, "ours is heard", func() bool { return len(b.Heard(channel)) == 1 })
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.heard) != 1 {
		t.Errorf("heard %v", b.heard)
	}
}

func order(t *testing.T, s *Stage, channel string) {
	const each = 200
	nodes := []*Node{s.Node(t), s.Node(t), s.Node(t)}
	for _, n := range nodes {
		n.Enter(channel)
	}
	var all sync.WaitGroup
	for i, n := range nodes[:2] {
		all.Go(func() {
			for k := range each {
				if _, err := n.Try(channel, string(rune('a'+i))+word(k), hub.History{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, n := range nodes {
		Until(t, "all are heard", func() bool { return len(n.Heard(channel)) == 2*each })
		next := map[byte]int{}
		for _, h := range n.Heard(channel) {
			if h.Msg[1:] != word(next[h.Msg[0]]) {
				t.Fatalf("%s when %s was next", h.Msg, word(next[h.Msg[0]]))
			}
			next[h.Msg[0]]++
		}
	}
}

func bytesPass(t *testing.T, s *Stage, channel string) {
	a, b := s.Node(t), s.Node(t)
	channels := []string{channel, channel + "{a}", "}" + channel, "{}" + channel, channel + "%*?[a]\x00\xff \r\n", strings.Repeat("l", 255-len(channel)) + channel}
	b.Enter(channels...)
	msgs := []string{"", "\x00\xff\r\n", strings.Repeat("long ", 50_000)}
	for _, c := range channels {
		for _, m := range msgs {
			a.Say(c, m, hub.History{})
		}
	}
	for _, c := range channels {
		Until(t, "all are heard", func() bool { return len(b.Heard(c)) == len(msgs) })
		if got := words(b.Heard(c)); !slices.Equal(got, msgs) {
			t.Errorf("%q: something else was heard", c)
		}
	}
}

func many(t *testing.T, s *Stage, channel string) {
	a, b := s.Node(t), s.Node(t)
	var channels []string
	for i := range 1500 {
		channels = append(channels, channel+word(i))
	}
	b.Enter(channels...)
	for _, c := range channels {
		a.Say(c, c, hub.History{})
	}
	Until(t, "each is heard once", func() bool {
		return !slices.ContainsFunc(channels, func(c string) bool { return len(b.Heard(c)) != 1 })
	})
	b.Leave(channels...)
}

func again(t *testing.T, s *Stage, channel string) {
	a, b := s.Node(t), s.Node(t)
	b.Enter(channel)
	for range 5 {
		b.Leave(channel)
		b.Join(channel)
	}
	Until(t, "what is said is heard again", func() bool {
		a.Say(channel, "here?", hub.History{})
		return len(b.Heard(channel)) > 0
	})
	b.Leave(channel)
	Until(t, "it is heard no more", func() bool {
		before := len(b.Heard(channel))
		a.Say(channel, "gone?", hub.History{})
		a.Say(channel, "gone?", hub.History{})
		time.Sleep(20 * time.Millisecond) // the other outcome is only a round more
		return len(b.Heard(channel)) == before
	})
}

func limit(t *testing.T, s *Stage, channel string) {
	n := s.Node(t)
	if s.Kill == nil {
		t.Skip("nothing is waited for")
	}
	s.Kill()
	defer s.Restart()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := n.Publish(ctx, channel, []byte("m"), hub.History{}); err == nil {
		t.Error("Publish without a server says that all is well")
	}
	if _, err := n.Replay(ctx, channel, hub.ID{}, nil); err == nil || errors.Is(err, hub.ErrEpoch) {
		t.Errorf("Replay without a server: %v", err)
	}
	if !s.NoHistory {
		if _, err := n.Publish(ctx, channel, []byte("m"), hour); err == nil {
			t.Error("Publish without a server says that it is kept")
		}
	}
}
