package sse

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"multiserver/sync/hub"
)

// onNewest is a broker that does something when it has looked where a history
// ends, before it says so.
type onNewest struct {
	hub.Broker
	then func() error // once
}

func (b *onNewest) Replay(ctx context.Context, channel string, after hub.ID, each func(id hub.ID, msg []byte)) (hub.ID, error) {
	newest, err := b.Broker.Replay(ctx, channel, after, each)
	if then := b.then; each == nil && then != nil {
		b.then = nil
		return newest, then()
	}
	return newest, err
}

func TestANewStreamMissesNothingBehindWhereItBegins(t *testing.T) {
	f := func(before, want string, fails error) {
		t.Helper()
		m := hub.NewMemory()
		far := node(t, m.Node())
		say := func(text string) {
			if _, err := far.Publish(t.Context(), hub.Post{Channel: "a", Data: []byte(text)}); err != nil {
				t.Error(err)
			}
		}
		for text := range strings.FieldsSeq(before) {
			say(text)
		}
		near := node(t, &onNewest{m.Node(), func() error { say("between"); return fails }})
		cursor, _ := NewCursor([]string{"a", "b"}, "")
		s := New(cursor, 1<<16)
		c, _ := near.Enter(s, hub.Who{ID: "1"})
		defer c.Leave()
		if why := s.Join(t.Context(), c); why != hub.OK {
			t.Fatal(why)
		}
		wait := 20 * time.Second
		if fails != nil {
			wait = 5 * time.Millisecond // it hears what is said when it has been joined
		}
		for heard := ""; heard != want; {
			if fails != nil {
				say("late")
			}
			b, err := s.Next(t.Context(), wait)
			if err != nil || string(b) == Idle && fails == nil {
				t.Fatalf("behind %q: heard %q, want %q: %v", before, heard, want, err)
			}
			for line := range strings.Lines(string(b)) {
				if text, ok := strings.CutPrefix(line, "data: "); ok && !strings.HasSuffix(heard, text) {
					heard += text
				}
			}
		}
	}
	f("", "between\n", nil)
	f("1 2", "between\n", nil)
	f("1 2", "late\n", errors.New("away"))
}

func node(t *testing.T, b hub.Broker) *hub.Hub {
	h, err := hub.New(hub.Options{Broker: b, History: func(channel string) hub.History {
		if channel == "a" {
			return hub.History{Size: 100, TTL: time.Hour}
		}
		return hub.History{}
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}
