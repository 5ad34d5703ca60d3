package hub

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// chatty is a member that something has passed to a while ago.
type chatty struct {
	fake
	last atomic.Int64 // in nanoseconds
}

func (c *chatty) Quiet() time.Duration { return time.Duration(time.Now().UnixNano() - c.last.Load()) }

func (c *chatty) Post(m *Message) Verdict {
	c.last.Store(time.Now().UnixNano())
	return c.fake.Post(m)
}

func TestAClientIsKeptAliveWhenItIsQuiet(t *testing.T) {
	f := func(control string, says time.Duration, want ...string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			h, err := New(Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer h.Close()
			m := &chatty{}
			m.last.Store(time.Now().UnixNano())
			c, _ := h.Enter(m, Who{ID: "1"})
			defer c.Leave()
			if _, why := c.Control([]byte(control)); why != OK {
				t.Fatal(why)
			}
			for range 4 { // for a minute, by and by
				time.Sleep(says)
				m.last.Store(time.Now().UnixNano())
			}
			time.Sleep(time.Minute - 4*says + time.Millisecond)
			if got := m.words(); !slices.Equal(got, want) {
				t.Errorf("%s: %q", control, got)
			}
		})
	}
	f(`{"type":"keep-alive","timeout":20,"content":"x"}`, 0, "x", "x", "x")
	f(`{"type":"keep-alive","timeout":20,"content":"x"}`, 10*time.Second, "x")
	f(`{"type":"keep-alive","timeout":20,"content":"x","mode":"interval"}`, 10*time.Second, "x", "x", "x")
	f(`{"type":"keep-alive","content":"x"}`, 0, "x")
	f(`{"type":"keep-alive","timeout":20}`, 0)
}

func TestAKeepAliveIsOfTheKindThatIsTold(t *testing.T) {
	f := func(text, frame string, want Reason) {
		t.Helper()
		var m control
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		word, why := m.keepAlive()
		if why != want || word != nil && string(word.Frame()) != frame || word == nil && frame != "" {
			t.Errorf("%s: %v %v", text, word, why)
		}
	}
	f(`{"content":"a"}`, "\x81\x01a", OK)
	f(`{"content-bin":"YQ=="}`, "\x82\x01a", OK)
	f(`{"content":"","message-type":"ping"}`, "\x89\x00", OK)
	f(`{"content":"a","message-type":"pong"}`, "\x8a\x01a", OK)
	f(`{"content-bin":"YQ==","message-type":"text"}`, "\x81\x01a", OK)
	f(`{"content":"`+strings.Repeat("a", 126)+`","message-type":"ping"}`, "", BadControl)
	f(`{"content":"a","message-type":"close"}`, "", BadControl)
	f(`{"content":"a","timeout":3601}`, "", BadControl)
	f(`{"content":"a","timeout":-1}`, "", BadControl)
	f(`{}`, "", OK)
}
