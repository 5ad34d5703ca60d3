package edge_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"multiserver/proxy/edge"
)

// What costs a client nothing has an end, and the connection with it.
func TestFloodsAreEnded(t *testing.T) {
	s := newStage(t, app(t, hello), nil)
	f := func(name string, first, again func(*frames, *http2.Framer)) {
		t.Helper()
		c := s.frames()
		defer c.nc.Close()
		if first != nil {
			first(c, c.Framer)
		}
		var many bytes.Buffer
		w := http2.NewFramer(&many, nil)
		w.AllowIllegalWrites = true
		for range 1000 {
			again(c, w)
		}
		go func() {
			for {
				if _, err := c.nc.Write(many.Bytes()); err != nil {
					return
				}
			}
		}()
		got := c.next()
		for got != "end" && !strings.HasPrefix(got, "goaway") {
			got = c.next()
		}
		if got != "end" && got != "goaway ENHANCE_YOUR_CALM" {
			t.Errorf("%s: %s", name, got)
		}
	}
	get := func(c *frames, w *http2.Framer) { c.open(1, false, "POST", "/") }
	f("PING", nil, func(c *frames, w *http2.Framer) { w.WritePing(false, [8]byte{}) })
	f("SETTINGS", nil, func(c *frames, w *http2.Framer) { w.WriteSettings() })
	f("PRIORITY", nil, func(c *frames, w *http2.Framer) { w.WritePriority(5, http2.PriorityParam{StreamDep: 3}) })
	f("what is not known", nil, func(c *frames, w *http2.Framer) { w.WriteRawFrame(0x42, 0, 0, nil) })
	f("DATA without any", get, func(c *frames, w *http2.Framer) { w.WriteData(1, false, nil) })
	f("a byte at a time", get, func(c *frames, w *http2.Framer) { w.WriteWindowUpdate(1, 1) })
	f("resets of what has ended", get, func(c *frames, w *http2.Framer) { w.WriteRSTStream(1, http2.ErrCodeCancel) })
	f("CONTINUATION without any", func(c *frames, w *http2.Framer) {
		c.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.block("GET", "/")})
	}, func(c *frames, w *http2.Framer) { w.WriteContinuation(1, false, nil) })
	await(t, "all to be counted", func() bool { return s.edge.Stats.Endings[edge.Flood].Load() == 8 })
}

// A client that sends more than it may is reset, however much the upstream
// would take.
func TestWindowsBind(t *testing.T) {
	over := make(chan struct{})
	defer close(over)
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) { <-over }), nil)
	f := s.frames()
	f.open(1, false, "POST", "/")
	go func() {
		piece := make([]byte, 16<<10)
		for f.WriteData(1, false, piece) == nil {
		}
	}()
	if got := f.next(); got != "reset FLOW_CONTROL_ERROR" && got != "goaway FLOW_CONTROL_ERROR" {
		t.Error(got)
	}
}

func TestStreamsBeyondTheLimitAreRefused(t *testing.T) {
	origin, asked, _ := waiting(t, "")
	s := newStage(t, origin, func(l *limits) { l.edge.Streams = 2 })
	f := s.frames()
	for id := uint32(1); id <= 5; id += 2 {
		f.open(id, true, "GET", "/")
	}
	f.want("reset REFUSED_STREAM")
	<-asked
	<-asked
	f.WriteRSTStream(1, http2.ErrCodeCancel)
	id := uint32(7)
	await(t, "its place to be free", func() bool {
		time.Sleep(50 * time.Millisecond) // refusals are counted as well
		f.open(id, true, "GET", "/")
		id += 2
		return len(asked) > 0
	})
}

// Streams that were on their way when the drain began are served.
func TestDrainsLoseNoStream(t *testing.T) {
	finish := make(chan struct{})
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		<-finish
		io.WriteString(w, "done")
	}), nil)
	f := s.frames()
	f.open(1, true, "GET", "/")
	f.WritePing(false, [8]byte{})
	away := func(want string) {
		t.Helper()
		for {
			fr, err := f.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			switch fr := fr.(type) {
			case *http2.PingFrame:
				if fr.IsAck() {
					s.edge.Drain()
				}
			case *http2.GoAwayFrame:
				if got := fmt.Sprint(fr.LastStreamID, fr.ErrCode); got != want {
					t.Errorf("%s, want %s", got, want)
				}
				return
			}
		}
	}
	away("2147483647 NO_ERROR")
	f.open(3, true, "GET", "/")
	for pinged := false; !pinged; {
		fr, err := f.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if p, ok := fr.(*http2.PingFrame); ok {
			f.WritePing(true, p.Data)
			pinged = true
		}
	}
	away("3 NO_ERROR")
	f.open(5, true, "GET", "/")
	f.want("reset REFUSED_STREAM")
	close(finish)
	for done := 0; done < 2; {
		if strings.HasSuffix(f.next(), " end") {
			done++
		}
	}
	f.want("goaway NO_ERROR", "end")
}
