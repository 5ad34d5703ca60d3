package hub

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMessagesReachMembersOnEveryNode(t *testing.T) {
	s := newStage(t)
	a, b := s.hub(), s.hub()
	here, _ := s.enter(a, "room")
	there, _ := s.enter(b, "room", "other")
	other, _ := s.enter(b, "other")
	s.say(a, "room", "1")
	s.say(b, "room", "2")
	s.hears(here, "1", "2")
	s.hears(there, "1", "2")
	s.say(a, "other", "3") // only of one channel messages come in order
	s.hears(there, "1", "2", "3")
	s.hears(other, "3")
}

func TestAnExcludedConnectionDoesNotGetIt(t *testing.T) {
	s := newStage(t)
	a, b := s.hub(), s.hub()
	me, c := s.enter(a, "room")
	other, _ := s.enter(b, "room")
	for _, h := range []*Hub{a, b} {
		if _, err := h.Publish(context.Background(), Post{Channel: "room", Data: []byte("not to me"), Exclude: c.ID}); err != nil {
			t.Fatal(err)
		}
	}
	s.say(b, "room", "to all")
	s.hears(me, "to all")
	s.hears(other, "not to me", "not to me", "to all")
}

func TestMembersComeAndGo(t *testing.T) {
	s := newStage(t)
	h := s.hub()
	f, c := s.enter(h, "a", "b")
	c.Subscribe("a") // it is in
	s.say(h, "a", "1")
	s.hears(f, "1")
	c.Unsubscribe("a")
	c.Unsubscribe("a")
	s.say(h, "a", "2")
	s.say(h, "b", "3")
	s.hears(f, "1", "3")
	c.Leave()
	c.Leave()
	s.say(h, "b", "4")
	s.hears(f, "1", "3")
	if why := c.Subscribe("a"); why != Ended {
		t.Errorf("subscribed behind its end: %v", why)
	}
	if m, ch := h.Stats.Members.Load(), h.Stats.Channels.Load(); m != 0 || ch != 0 {
		t.Errorf("%d members, %d channels are left", m, ch)
	}
}

func TestLimits(t *testing.T) {
	s := newStage(t)
	h := s.hub(func(o *Options) { o.MaxJoined, o.MaxMembers, o.MaxPerAddr = 3, 2, 2 })
	addr := netip.MustParseAddr("192.0.2.1")
	one := s.conn(h, new(fake), Who{ID: "1", Addr: addr})
	two := s.conn(h, new(fake), Who{ID: "2", Addr: addr})
	f := func(got, want Reason) {
		t.Helper()
		if got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	_, why := h.Enter(new(fake), Who{ID: "3", Addr: addr})
	f(why, AddressFull)
	two.Leave()
	two = s.conn(h, new(fake), Who{ID: "2", Addr: addr})
	for i, want := range []Reason{OK, OK, OK, TooManyJoined} {
		f(one.Subscribe(fmt.Sprint("c", i)), want)
	}
	one.Unsubscribe("c1")
	f(one.Subscribe("c3"), OK)
	f(two.Subscribe("c0"), OK)
	f(s.conn(h, new(fake), Who{ID: "4"}).Subscribe("c0"), ChannelFull)
	f(two.Subscribe(""), BadName)
	f(two.Subscribe("a\nb"), BadName)
	f(two.Subscribe(controlChannel), BadName)
	f(two.Subscribe(strings.Repeat("x", 256)), BadName)
	f(two.Subscribe(strings.Repeat("x", 255)), OK)
	f(h.Offer(Post{Channel: "c0", Data: make([]byte, MaxMessage+1)}), TooLong)
	f(h.Offer(Post{Channel: "c0", Kind: 9}), BadKind)
	f(h.Offer(Post{Channel: "\x00"}), BadName)
	counted := map[Reason]uint64{}
	h.Stats.Refused(func(r Reason, n uint64) { counted[r] = n })
	if counted[BadName] != 5 || counted[AddressFull] != 1 || counted[TooLong] != 1 {
		t.Errorf("counted %v", counted)
	}
}

func TestASlowMemberIsClosedOrLosesWhatIsNew(t *testing.T) {
	for _, drop := range []bool{false, true} {
		s := newStage(t)
		h := s.hub(func(o *Options) { o.DropNewest = drop })
		slow, _ := s.enter(h, "room")
		quick, _ := s.enter(h, "room")
		slow.say(Full)
		s.say(h, "room", "1")
		s.hears(quick, "1")
		if drop {
			slow.say(Queued)
			s.say(h, "room", "2")
			s.hears(slow, "2")
		}
		if got, want := slow.code() == TryAgainLater, !drop; got != want {
			t.Errorf("drop %v: closed with %d", drop, slow.code())
		}
		s.until("it is counted", func() bool { return h.Stats.Dropped.Load() == 1 })
	}
}

func TestManyPublishersKeepTheirOrder(t *testing.T) {
	const publishers, each = 4, 100
	for _, channel := range []string{"plain", "kept"} {
		s := newStage(t)
		a, b := s.hub(keeps), s.hub(keeps)
		var members []*fake
		for _, h := range []*Hub{a, b} {
			for range few + 1 { // beyond what the publisher does itself
				f, _ := s.enter(h, channel)
				members = append(members, f)
			}
		}
		var all sync.WaitGroup
		for p := range publishers {
			all.Go(func() {
				for i := range each {
					h := a
					if p%2 == 1 {
						h = b
					}
					if _, err := h.Publish(context.Background(), Post{Channel: channel, Data: fmt.Append(nil, p, " ", i)}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		for _, f := range members {
			s.until("all are heard", func() bool { return len(f.words()) == publishers*each })
			var next [publishers]int
			for _, w := range f.words() {
				var p, i int
				fmt.Sscan(w, &p, &i)
				if i != next[p] {
					t.Fatalf("%s: %q when %d was next", channel, w, next[p])
				}
				next[p]++
			}
		}
	}
}

func TestAnEmptyChannelIsLeftAfterAMoment(t *testing.T) {
	s := newStage(t)
	h := s.hub(func(o *Options) { o.LeaveBehind = 50 * time.Millisecond })
	_, c := s.enter(h, "room", "other")
	c.Unsubscribe("room")
	node := h.broker.(*memoryNode)
	s.until("the broker is told", func() bool {
		node.m.mu.Lock()
		defer node.m.mu.Unlock()
		return !node.joined["room"] && node.joined["other"]
	})
	f, _ := s.enter(h, "room")
	s.say(s.hub(), "room", "again")
	s.hears(f, "again")
}

func TestPresenceAndDisconnectOverNodes(t *testing.T) {
	s := newStage(t)
	a, b := s.hub(), s.hub()
	s.until("nodes know each other", func() bool { return a.peers.count(time.Now()) == 1 && b.peers.count(time.Now()) == 1 })
	var fakes []*fake
	for i := range 4 {
		h := []*Hub{a, b}[i%2]
		f := new(fake)
		c := s.conn(h, f, Who{ID: fmt.Sprint("id", i), Session: fmt.Sprint("s", i/2)})
		c.Subscribe("room")
		fakes = append(fakes, f)
	}
	ctx := context.Background()
	if p := a.Channels(ctx); p.Nodes != 2 || p.Channels["room"] != 4 {
		t.Errorf("presence %+v", p)
	}
	if p := b.Members(ctx, Target{Channel: "room", Session: "s1"}); len(p.Members) != 2 {
		t.Errorf("members %+v", p)
	}
	if err := a.Send(ctx, Target{Conn: "id1"}, Text, []byte("you")); err != nil {
		t.Fatal(err)
	}
	s.hears(fakes[1], "you")
	if err := a.Subscribe(ctx, Target{Conn: "id3"}, "more"); err != nil {
		t.Fatal(err)
	}
	s.until("it is a member", func() bool { return len(b.Conn("id3").Channels()) == 2 })
	if err := a.Disconnect(ctx, Target{Session: "s0"}, PolicyBroken, "out"); err != nil {
		t.Fatal(err)
	}
	s.until("both are closed", func() bool { return fakes[0].code() == PolicyBroken && fakes[1].code() == PolicyBroken })
	if fakes[2].code() != 0 || fakes[3].code() != 0 {
		t.Error("others are closed, too")
	}
	if err := a.Disconnect(ctx, Target{}, 1008, ""); err != nil || fakes[2].code() != 0 {
		t.Error("no target is all")
	}
}

func TestAPanicOfAMemberIsItsOwn(t *testing.T) {
	s := newStage(t)
	h := s.hub()
	c := s.conn(h, broken{}, Who{ID: "x"})
	c.Subscribe("room")
	f, _ := s.enter(h, "room")
	s.say(h, "room", "1")
	s.hears(f, "1")
}

type broken struct{}

func (broken) Post(*Message) Verdict { panic("as it may happen") }
func (broken) Close(uint16, string)  {}
