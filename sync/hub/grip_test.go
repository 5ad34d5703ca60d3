package hub

import (
	"reflect"
	"strings"
	"testing"
)

func TestGripIsAccepted(t *testing.T) {
	f := func(extensions, prefix string, ok bool) {
		t.Helper()
		if p, got := GripAccepted(extensions); p != prefix || got != ok {
			t.Errorf("%q: %q %v", extensions, p, got)
		}
	}
	f(``, "", false)
	f(`permessage-deflate`, "", false)
	f(`grip`, "m:", true)
	f(`permessage-deflate; client_no_context_takeover, GRIP`, "m:", true)
	f(`grip; message-prefix=""`, "", true)
	f(`grip; message-prefix="x:"`, "x:", true)
	f(`gripe`, "", false)
}

func TestABackendControlsItsConnection(t *testing.T) {
	s := newStage(t)
	h := s.hub()
	me, c := s.enter(h)
	other, _ := s.enter(h, "a")
	f := func(text string, detached bool, why Reason) {
		t.Helper()
		if d, got := c.Control([]byte(text)); d != detached || got != why {
			t.Errorf("%s: %v %v", text, d, got)
		}
	}
	f(`{"type":"subscribe","channel":"a"}`, false, OK)
	f(`{"type":"publish","channel":"a","content":"1"}`, false, OK)
	f(`{"type":"publish","channel":"a","content":"2","exclude-self":true}`, false, OK)
	s.hears(other, "1", "2")
	s.hears(me, "1")
	f(`{"type":"publish","channel":"a","content-bin":"AAE="}`, false, OK)
	s.hears(me, "1", "\x00\x01")
	f(`{"type":"unsubscribe","channel":"a"}`, false, OK)
	f(`{"type":"publish","channel":"a","content":"3"}`, false, OK)
	s.hears(other, "1", "2", "\x00\x01", "3")
	s.hears(me, "1", "\x00\x01")
	f(`{"type":"keep-alive","timeout":1,"content":"still there"}`, false, OK)
	s.until("it is kept alive", func() bool { return len(me.words()) > 3 })
	f(`{"type":"keep-alive"}`, false, OK)
	f(`{"type":"keep-alive","content":"x"}`, false, OK)
	f(`{"type":"keep-alive","timeout":0.1,"content":"x"}`, false, BadControl)
	f(`{"type":"keep-alive","message-type":"close","content":"x"}`, false, BadControl)
	f(`{"type":"subscribe","channel":""}`, false, BadName)
	f(`{"type":"dance"}`, false, BadControl)
	f(`{`, false, BadControl)
	f(`{"type":"detach"}`, true, OK)
}

func TestItems(t *testing.T) {
	post := func(channel string, kind Kind, data string) Item {
		return Item{Post: Post{Channel: channel, Kind: kind, Data: []byte(data)}}
	}
	f := func(body string, want ...Item) {
		t.Helper()
		if got, err := ParseItems([]byte(body)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	f(`{"items":[{"channel":"a","formats":{"ws-message":{"content":"hi"}}}]}`, post("a", Text, "hi"))
	f(`{"items":[{"channel":"a","ws-message":{"content-bin":"AAE="}},{"channel":"b","http-stream":{"content":"x"}}]}`,
		post("a", Binary, "\x00\x01"), post("b", Text, "x"))
	f(`{"items":[{"channel":"a","id":"2","prev-id":"1","formats":{"ws-message":{"content":"h","type":"binary"},"http-stream":{"content":"no"}}}]}`,
		post("a", Binary, "h"))
	f(`{"items":[{"channel":"a","formats":{"ws-message":{"action":"close","code":4000}}}]}`,
		Item{Post: Post{Channel: "a"}, Close: true, Code: 4000})
	bad := func(body, about string) {
		t.Helper()
		if _, err := ParseItems([]byte(body)); err == nil || !strings.Contains(err.Error(), about) {
			t.Errorf("%s: %v", body, err)
		}
	}
	bad(``, "items")
	bad(`{"items":[]}`, "0 items")
	bad(`{"items":[{"channel":"","ws-message":{"content":"x"}}]}`, `items[0]: channel ""`)
	bad(`{"items":[{"channel":"a"}]}`, "no format")
	bad(`{"items":[{"channel":"a","ws-message":{}}]}`, "neither")
	bad(`{"items":[{"channel":"a","ws-message":{"action":"hop"}}]}`, "hop")
}

func FuzzItems(f *testing.F) {
	f.Add([]byte(`{"items":[{"channel":"a","formats":{"ws-message":{"content":"hi"}}}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		items, err := ParseItems(body)
		if err == nil && len(items) == 0 {
			t.Error("neither items nor an error")
		}
		for _, i := range items {
			if !ValidName(i.Channel) {
				t.Errorf("channel %q", i.Channel)
			}
		}
	})
}
