package sse

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"multiserver/sync/hub"
)

// event is what a client makes of a stream (HTML section 9.2.6).
type event struct{ id, name, data string }

// read is a client's reading of one event, by the specification's words.
func read(r *bufio.Reader) (e event, err error) {
	var data []string
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return e, err
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && data == nil && e.id != "": // it stays, with no event
			e.name = "begin"
			return e, nil
		case line == "" && data == nil:
		case line == "":
			e.data = strings.Join(data, "\n")
			return e, nil
		case field == "id":
			e.id = value
		case field == "event":
			e.name = value
		case field == "data":
			data = append(data, value)
		}
	}
}

func message(t testing.TB, kind hub.Kind, data string) *hub.Message {
	h, c, got := enter(t)
	defer h.Close()
	if why := c.Subscribe("a"); why != hub.OK {
		t.Fatal(why)
	}
	if _, err := h.Publish(context.Background(), hub.Post{Channel: "a", Kind: kind, Data: []byte(data)}); err != nil {
		t.Fatal(err)
	}
	return <-got
}

type catch chan *hub.Message

func (c catch) Post(m *hub.Message) hub.Verdict { c <- m; return hub.Written }
func (c catch) Close(uint16, string)            {}

func enter(t testing.TB) (*hub.Hub, *hub.Conn, catch) {
	h, err := hub.New(hub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(catch, 8)
	c, why := h.Enter(got, hub.Who{ID: "1"})
	if why != hub.OK {
		t.Fatal(why)
	}
	return h, c, got
}

func TestAMessageIsReadAsItWasSaid(t *testing.T) {
	f := func(kind hub.Kind, data string, want event) {
		t.Helper()
		raw := Append(nil, message(t, kind, data), []byte(want.id))
		got, err := read(bufio.NewReader(strings.NewReader(string(raw))))
		if err != nil || got != want {
			t.Errorf("%q: %q is read as %+v, %v", data, raw, got, err)
		}
	}
	f(hub.Text, "hello", event{data: "hello"})
	f(hub.Text, "", event{data: ""})
	f(hub.Text, "a\nb\r\nc\rd", event{data: "a\nb\nc\nd"})
	f(hub.Text, "end\n", event{data: "end\n"})
	f(hub.Text, " : id: 7", event{data: " : id: 7", id: "1-2"})
	f(hub.Binary, "\x00\n\xff", event{name: "binary", data: base64.StdEncoding.EncodeToString([]byte("\x00\n\xff"))})
}

func FuzzNoTextEscapesItsEvent(f *testing.F) {
	f.Add("a\r\rb\n\nid: 1")
	f.Fuzz(func(t *testing.T, text string) {
		raw := string(appendLines(nil, []byte(text))) + "\n"
		got, err := read(bufio.NewReader(strings.NewReader(raw)))
		want := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
		if err != nil || got != (event{data: want}) {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
	})
}

func TestACursorSaysWhereAClientIs(t *testing.T) {
	f := func(channels, last, want string, ok bool) {
		t.Helper()
		c, got := NewCursor(strings.Fields(channels), last)
		if text := string(c.Append(nil)); got != ok || text != want {
			t.Errorf("%q behind %q: %q %v", channels, last, text, got)
		}
	}
	f("a b", "", "", true)
	f("a b", "1-2,3-4", "1-2,3-4", true)
	f("a b", ",3-4", ",3-4", true)
	f("a b", "3-4", "", false)
	f("a", "x", "", false)
	f("a b", "1-2,x", "", false)
	c, _ := NewCursor([]string{"a", "b"}, "")
	c.Pass(&hub.Message{Channel: "b", ID: hub.ID{Epoch: 7, Offset: 9}})
	c.Pass(&hub.Message{Channel: "c", ID: hub.ID{Epoch: 7, Offset: 9}})
	c.Pass(&hub.Message{Channel: "a"})
	if got := string(c.Append(nil)); got != ",7-9" {
		t.Errorf("moved to %q", got)
	}
}

func TestAStreamIsFullBeyondItsBudget(t *testing.T) {
	m := message(t, hub.Text, strings.Repeat("x", 60))
	s := New(Cursor{}, 100)
	f := func(want hub.Verdict) {
		t.Helper()
		if got := s.Post(m); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	f(hub.Queued)
	f(hub.Full)
	if _, err := s.Next(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	f(hub.Queued)
	s.Close(1001, "")
	f(hub.Closed)
	if b, err := s.Next(t.Context(), time.Hour); err != nil || !strings.Contains(string(b), "xxx") {
		t.Errorf("what was queued before the end: %q %v", b, err)
	}
	if _, err := s.Next(t.Context(), time.Hour); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestAnIdleStreamSaysSo(t *testing.T) {
	s := New(Cursor{}, 100)
	_, _ = s.Next(t.Context(), time.Hour)
	if b, err := s.Next(t.Context(), time.Millisecond); string(b) != Idle || err != nil {
		t.Errorf("%q %v", b, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// A client of net/http comes back with Last-Event-ID and misses nothing in
// either of two channels.
func TestAClientComesBackAndMissesNothing(t *testing.T) {
	h, err := hub.New(hub.Options{History: func(string) hub.History { return hub.History{Size: 100, TTL: time.Hour} }})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	server := httptest.NewServer(serve(h, "a", "b"))
	defer server.Close()
	say := func(channel, text string) {
		t.Helper()
		if _, err := h.Publish(t.Context(), hub.Post{Channel: channel, Data: []byte(text)}); err != nil {
			t.Fatal(err)
		}
	}
	last, heard := "", []string{}
	visit := func(n int, meanwhile func()) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, "GET", server.URL, nil)
		req.Header.Set("Last-Event-ID", last)
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		meanwhile()
		r := bufio.NewReader(res.Body)
		for range n {
			e, err := read(r)
			if err != nil {
				t.Fatal(err)
			}
			if last = e.id; e.name == "" {
				heard = append(heard, e.data)
			}
		}
	}
	say("a", "before")
	visit(1, func() {}) // it leaves before anything is said
	say("a", "a0")
	say("b", "b0")
	for i := 1; i < 4; i++ {
		say("a", fmt.Sprint("a", i))
		say("b", fmt.Sprint("b", i))
	}
	visit(10, func() { say("a", "a4"); say("b", "b4") })
	var of = map[byte]string{}
	for _, w := range heard {
		of[w[0]] += w[1:]
	}
	if of['a'] != "01234" || of['b'] != "01234" {
		t.Errorf("heard %q", heard)
	}
}

func serve(h *hub.Hub, channels ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cursor, _ := NewCursor(channels, r.Header.Get("Last-Event-ID"))
		s := New(cursor, 1<<16)
		c, why := h.Enter(s, hub.Who{ID: hub.NewID()})
		if why != hub.OK {
			http.Error(w, why.String(), 503)
			return
		}
		defer c.Leave()
		if s.Join(r.Context(), c) != hub.OK {
			return
		}
		w.Header().Set("Content-Type", ContentType)
		for {
			b, err := s.Next(r.Context(), time.Second)
			if err != nil {
				return
			}
			if _, err := w.Write(b); err != nil && err != io.EOF {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	})
}
