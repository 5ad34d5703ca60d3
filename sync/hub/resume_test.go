package hub

import (
	"context"
	"testing"
	"time"
)

// hesitant is a broker that tells where a channel's history ends only when it
// is let.
type hesitant struct {
	Broker
	asked, let chan struct{}
}

func (b *hesitant) Replay(ctx context.Context, channel string, after ID, each func(id ID, msg []byte)) (ID, error) {
	if each == nil {
		close(b.asked)
		<-b.let
	}
	return b.Broker.Replay(ctx, channel, after, each)
}

// What is published after a client's history was read, and before its channel's
// end was, would be behind neither.
func TestNothingIsLostBetweenAResumeAndItsChannelsBegin(t *testing.T) {
	s := newStage(t)
	a := s.hub(keeps)
	b := &hesitant{s.m.Node(), make(chan struct{}), make(chan struct{})}
	h := s.hub(keeps, func(o *Options) { o.Broker = b })
	s.say(a, "kept", "1")
	f := new(fake)
	if why := s.conn(h, f, Who{ID: NewID()}).Resume("kept", ID{}); why != OK {
		t.Fatal(why)
	}
	<-b.asked
	for range 50 { // time for who would read it too early
		if len(f.words()) > 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	s.say(a, "kept", "2")
	close(b.let)
	s.hears(f, "1", "2")
	s.say(a, "kept", "3")
	s.hears(f, "1", "2", "3")
}

// Who leaves before its channel began leaves nothing that waits for it.
func TestAResumeEndsWithItsChannel(t *testing.T) {
	s := newStage(t)
	h := s.hub(keeps, func(o *Options) { o.LeaveBehind = time.Millisecond })
	c := s.conn(h, new(fake), Who{ID: NewID()})
	for range 100 {
		c.Resume("kept", ID{})
		c.Unsubscribe("kept")
	}
	s.until("no channel is left", func() bool { return h.Stats.Channels.Load() == 0 && !h.has("kept") })
	done := make(chan struct{})
	go func() { _ = h.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("something waits")
	}
}
