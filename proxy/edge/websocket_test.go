package edge_test

import (
	"context"
	"encoding/binary"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"golang.org/x/net/http2"
)

// echoes is a WebSocket server of somebody else's making, which says how each
// connection ended.
func echoes(t *testing.T) (addr string, closed chan websocket.StatusCode) {
	closed = make(chan websocket.StatusCode, 10)
	return app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/no" {
			http.Error(w, "no", 403)
			return
		}
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}})
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(context.Background())
			if err != nil {
				closed <- websocket.CloseStatus(err)
				return
			}
			_ = c.Write(context.Background(), kind, b)
		}
	}), closed
}

// asks opens a tunnel by RFC 8441.
func (f *frames) asks(id uint32, path string, more ...string) {
	f.open(id, false, "CONNECT", path, append([]string{":protocol", "websocket", "sec-websocket-version", "13"}, more...)...)
}

const (
	text     = 0x81
	closing  = 0x88
	maskless = "\x00\x00\x00\x00" // a mask, which changes nothing
)

func masked(op byte, payload string) []byte {
	return append([]byte{op, 0x80 | byte(len(payload))}, maskless+payload...)
}

func status(code uint16) string { return string(binary.BigEndian.AppendUint16(nil, code)) }

// read gives the next n bytes of a stream's DATA.
func (f *frames) read(n int) (got string) {
	f.t.Helper()
	for len(got) < n {
		fr, err := f.ReadFrame()
		if err != nil {
			f.t.Fatalf("%v after %q", err, got)
		}
		if d, ok := fr.(*http2.DataFrame); ok {
			got += string(d.Data())
		}
	}
	return got
}

func TestWebSocketsPassOverHTTP2(t *testing.T) {
	origin, closed := echoes(t)
	s := newStage(t, origin, nil)
	f := s.frames()
	f.asks(1, "/chat?x=1", "sec-websocket-protocol", "chat", "cookie", "a=b")
	fr, err := f.ReadFrame()
	for ; err == nil && fr.Header().Type != http2.FrameHeaders; fr, err = f.ReadFrame() {
	}
	if err != nil {
		t.Fatal(err)
	}
	head := fr.(*http2.MetaHeadersFrame)
	fields := map[string]string{}
	for _, h := range head.Fields {
		fields[h.Name] = h.Value
	}
	if fields[":status"] != "200" || fields["sec-websocket-protocol"] != "chat" || head.StreamEnded() {
		t.Errorf("%v", fields)
	}
	for _, name := range []string{"sec-websocket-accept", "upgrade", "connection"} {
		if v, ok := fields[name]; ok {
			t.Errorf("%s: %s", name, v)
		}
	}
	f.WriteData(1, false, masked(text, "hello"))
	if got, want := f.read(7), "\x81\x05hello"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.asks(3, "/chat") // several on a connection
	f.want("head 200")
	f.WriteData(3, false, masked(text, "there"))
	if got, want := f.read(7), "\x81\x05there"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	f.WriteData(1, false, masked(closing, status(4001)+"bye"))
	if got, want := f.read(7), "\x88\x05"+status(4001)+"bye"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if code := <-closed; code != 4001 {
		t.Errorf("the server was told %d", code)
	}
	f.want("data 0 end")
	f.WriteData(1, true, nil)
	await(t, "one tunnel to end", func() bool { return s.p.Stats.Upgraded.Load() == 1 })
	f.WriteRSTStream(3, http2.ErrCodeCancel)
	if code := <-closed; code != -1 {
		t.Errorf("behind a reset the server was told %d", code)
	}
	await(t, "the other to end", func() bool { return s.p.Stats.Upgraded.Load() == 0 })
}

func TestTunnelsThatAreNoneAreRefused(t *testing.T) {
	origin, _ := echoes(t)
	s := newStage(t, origin, nil)
	f := s.frames()
	id := uint32(1)
	g := func(want string, fields ...string) {
		t.Helper()
		f.head.Reset()
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.fields(fields...), EndHeaders: true})
		got := f.next()
		for got != "end" && !strings.HasPrefix(got, "reset") {
			got += ", " + f.next()
			if strings.Contains(got, "reset") {
				break
			}
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%q: %q, want %q", fields, got, want)
		}
		id += 2
	}
	const malformed = "reset PROTOCOL_ERROR"
	tunnel := func(path string, more ...string) []string {
		return append([]string{":method", "CONNECT", ":scheme", "http", ":path", path, ":authority", "a", ":protocol", "websocket"}, more...)
	}
	g("head 403", tunnel("/no", "sec-websocket-version", "13")...)
	g("head 426", tunnel("/", "sec-websocket-version", "12")...)
	g("head 426", tunnel("/")...)
	g("head 501", ":method", "CONNECT", ":scheme", "http", ":path", "/", ":authority", "a", ":protocol", "connect-udp")
	g("head 405", ":method", "CONNECT", ":authority", "a:80")
	g(malformed, ":method", "CONNECT", ":scheme", "http", ":path", "/", ":authority", "a:80")
	g(malformed, ":method", "CONNECT", ":scheme", "http", ":authority", "a", ":protocol", "websocket")
	g(malformed, ":method", "GET", ":scheme", "http", ":path", "/", ":authority", "a", ":protocol", "websocket")
	g(malformed, tunnel("/", ":protocol", "websocket")...)
	g(malformed, tunnel("/", "upgrade", "websocket")...)
}
