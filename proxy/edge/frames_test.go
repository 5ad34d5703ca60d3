package edge_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is a client that says exactly what the test wants.
type frames struct {
	*http2.Framer
	t    *testing.T
	nc   net.Conn
	head bytes.Buffer
	enc  *hpack.Encoder
}

func (s *stage) frames(settings ...http2.Setting) *frames {
	t := s.t.(*testing.T)
	t.Helper()
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(patience))
	io.WriteString(nc, http2.ClientPreface)
	f := &frames{Framer: http2.NewFramer(nc, nc), t: t, nc: nc}
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.enc = hpack.NewEncoder(&f.head)
	f.WriteSettings(settings...)
	return f
}

// block is a header block: fields of a request to /path, and more.
func (f *frames) block(method, path string, more ...string) []byte {
	f.head.Reset()
	return f.fields(append([]string{":method", method, ":scheme", "http", ":path", path, ":authority", "example.org"}, more...)...)
}

// fields adds fields, name by value, to the block.
func (f *frames) fields(fields ...string) []byte {
	for i := 0; i < len(fields); i += 2 {
		f.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return f.head.Bytes()
}

func (f *frames) open(id uint32, end bool, method, path string, more ...string) {
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.block(method, path, more...), EndStream: end, EndHeaders: true})
}

// next describes the next frame that concerns a stream, or the connection's
// end.
func (f *frames) next() string {
	for {
		fr, err := f.ReadFrame()
		if err != nil {
			if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "reset") {
				return "end"
			}
			return err.Error()
		}
		what := ""
		switch fr := fr.(type) {
		case *http2.MetaHeadersFrame:
			what = "head " + fr.PseudoValue("status")
			if fr.StreamEnded() {
				what += " end"
			}
		case *http2.DataFrame:
			what = fmt.Sprintf("data %d", len(fr.Data()))
			if fr.StreamEnded() {
				what += " end"
			}
		case *http2.RSTStreamFrame:
			what = "reset " + fr.ErrCode.String()
		case *http2.GoAwayFrame:
			what = "goaway " + fr.ErrCode.String()
		default:
			continue
		}
		return what
	}
}

func (f *frames) want(all ...string) {
	f.t.Helper()
	for _, want := range all {
		if got := f.next(); got != want {
			f.t.Errorf("%q, want %q", got, want)
		}
	}
}

func hello(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	io.WriteString(w, "hello")
}

func TestSmallWindowsGetTheWholeBody(t *testing.T) {
	s := newStage(t, app(t, hello), nil)
	f := s.frames(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 2})
	f.open(1, true, "GET", "/")
	f.want("head 200", "data 2")
	f.WriteWindowUpdate(1, 2)
	f.want("data 2")
	f.WriteWindowUpdate(1, 10)
	f.want("data 1 end")
}

func TestWhatIsNoRequestIsRefused(t *testing.T) {
	s := newStage(t, app(t, hello), nil)
	f := s.frames()
	id := uint32(1)
	g := func(want, method, path string, more ...string) {
		t.Helper()
		f.open(id, true, method, path, more...)
		got := f.next()
		for got != "end" && !strings.HasPrefix(got, "reset") && !strings.HasSuffix(got, " end") {
			got += " " + f.next()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s %s %v: %q, want %q", method, path, more, got, want)
		}
		id += 2
	}
	const refused = "reset PROTOCOL_ERROR"
	g("head 200 data 5 end", "GET", "/")
	g(refused, "GET", "")
	g(refused, "GET", "http://other.example/")
	g(refused, "GET", "/", "host", "other.example")
	g(refused, "GET", "/", "X-Upper", "1")
	g(refused, "GET", "/", "x-a", "1\r\nx-b: 2")
	g(refused, "GET", "/", "x-a\r\nx-b", "2")
	g(refused, "GET\r\n", "/")
	g(refused, "GET /admin HTTP/1.1", "/")
	g(refused, "GET", "/ HTTP/1.1")
	g(refused, "GET", "/", "x-a", " 1")
	g(refused, "GET", "/", "transfer-encoding", "chunked")
	g(refused, "GET", "/", "connection", "close")
	g(refused, "GET", "/", "keep-alive", "5")
	g(refused, "GET", "/", "proxy-connection", "close")
	g(refused, "GET", "/", "upgrade", "websocket")
	g(refused, "GET", "/", "te", "trailers, deflate")
	g(refused, "GET", "/", ":path", "/")
	g(refused, "GET", "/", "x-a", "1", ":authority", "b")
	g(refused, "GET", "/", ":status", "200")
	g(refused, "GET", "*")
	g(refused, "GET", "/", ":protocol", "websocket")
	g("head 200 data 5 end", "GET", "/", "te", "trailers")
	g("head 405", "TRACE", "/")
	g("head 200 data 5 end", "GET", "/")
}

func TestContradictingLengthsAreRefused(t *testing.T) {
	s := newStage(t, app(t, hello), nil)
	f := func(want, body string, lengths ...string) {
		t.Helper()
		var more []string
		for _, l := range lengths {
			more = append(more, "content-length", l)
		}
		f := s.frames()
		defer f.nc.Close()
		f.open(1, false, "POST", "/", more...)
		f.WriteData(1, true, []byte(body))
		if got := f.next(); got != want {
			t.Errorf("%q with %v: %q, want %q", body, lengths, got, want)
		}
	}
	const (
		taken = "head 200"
		reset = "reset PROTOCOL_ERROR"
	)
	f(taken, "hello", "5")
	f(taken, "hello")
	f(taken, "", "0")
	f(reset, "hello", "4")
	f(reset, "hello", "6")
	f(reset, "", "five")
	f(reset, "", "+0")
	f(reset, "hello", "5", "5")
	f(reset, "hello", "5", "6")
}

// Opening and resetting streams is cheap for the client: it gets as much of
// the core's time as MaxConcurrentStreams says, and is then sent away.
func TestRapidResetIsEnded(t *testing.T) {
	origin, asked, _ := waiting(t, "")
	s := newStage(t, origin, func(l *limits) { l.edge.Streams = 10 })
	f := s.frames()
	go func() {
		for id := uint32(1); id < 20000; id += 2 {
			f.open(id, true, "GET", "/")
			if f.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
				return
			}
		}
	}()
	for got := ""; got != "end"; {
		if got = f.next(); strings.HasPrefix(got, "goaway") && got != "goaway ENHANCE_YOUR_CALM" {
			t.Error(got)
		}
	}
	if n := len(asked); n > 10 {
		t.Errorf("the origin was asked %d times", n)
	}
}

func TestContinuationsHaveAnEnd(t *testing.T) {
	s := newStage(t, app(t, hello), nil)
	f := s.frames()
	go func() {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.block("GET", "/")})
		for i := range 100000 {
			f.head.Reset()
			f.enc.WriteField(hpack.HeaderField{Name: fmt.Sprintf("x-%d", i), Value: strings.Repeat("x", 1000)})
			if f.WriteContinuation(1, false, f.head.Bytes()) != nil {
				return
			}
		}
	}()
	if got := f.next(); got != "end" && !strings.HasPrefix(got, "goaway") {
		t.Error(got)
	}
}

// With prior knowledge, and as the first thing a client says.
func TestOnlyThePrefaceAtTheBeginningMeansHTTP2(t *testing.T) {
	s := newStage(t, app(t, hello), nil)
	f := func(say, want string) {
		t.Helper()
		nc, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(patience))
		for _, piece := range strings.Split(say, "|") {
			io.WriteString(nc, piece)
			time.Sleep(20 * time.Millisecond)
		}
		got, _ := io.ReadAll(nc)
		if !strings.Contains(string(got), want) {
			t.Errorf("%q: %q", say, got)
		}
	}
	const (
		settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
		last     = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
		goAway   = "\x07\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x01" // PROTOCOL_ERROR
	)
	f(http2.ClientPreface+settings+"\x00\x00\x00\x00\x00\x00\x00\x00\x00", goAway)
	f("PRI * HT|TP/2.0\r|\n\r\nS|M\r\n\r\n"+settings+"\x00\x00\x00\x00\x00\x00\x00\x00\x00", goAway)
	f(last, "hello")
	f("GET / HTTP/1.1\r\nHost: a\r\n\r\n|"+http2.ClientPreface, "505")
	f("GET / HTTP/1.1\r\nHost: a\r\n\r\n"+http2.ClientPreface, "505")
	f("PRI * HTTP/2.1\r\n\r\n", "505")
	f("GET / HTTP/2.0\r\n\r\n", "505")
	f("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n", "200 OK")
}
