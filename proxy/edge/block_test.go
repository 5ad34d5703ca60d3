package edge

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"

	"multiserver/proxy/wire"
)

// headOf is what fields, name by value, become; "": malformed.
func headOf(trailers bool, fields ...string) string {
	b := block{most: 64 << 10}
	b.begin(trailers)
	for i := 0; i < len(fields); i += 2 {
		b.field(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	if !b.end() {
		return ""
	}
	return strings.ReplaceAll(string(b.head), "\r\n", "|")
}

func TestBlocksBecomeHeads(t *testing.T) {
	f := func(want string, more ...string) {
		t.Helper()
		all := append([]string{":method", "GET", ":scheme", "https", ":path", "/a?b"}, more...)
		if got := headOf(false, all...); got != want {
			t.Errorf("%q:\n got %s\nwant %s", more, got, want)
		}
	}
	const line = "GET /a?b HTTP/1.1|"
	f(line+"Host: h:1|", ":authority", "h:1")
	f(line+"Host: h|", "host", "h")
	f(line+"Host: h|", ":authority", "h", "host", "h")
	f(line+"Host: h|X-Some-Name: 1|X-Some-Name: 2|", ":authority", "h", "x-some-name", "1", "x-some-name", "2")
	f(line+"Accept: */*|Cookie: a=1; b=2; c=3|", "cookie", "a=1", "cookie", "b=2; c=3", "accept", "*/*")
	f(line+"Te: trailers|", "te", "trailers", "http2-settings", "AAMAAABk")
	f(line+"X: |", "x", "")
	f("", ":authority", "h", "host", "g")
	f("", "host", "h", "host", "h")
	f("", ":authority", "h g")
	f("", ":authority", "h\r\nx: y")
	f("", "te", "gzip")
	f("", "content-length", "1", "content-length", "1")
	f("", "content-length", "-1")
	f("", "x y", "1")
	f("", "x:y", "1")
	f("", "", "1")
	f("", "x", "a\x00b")
	f("", "x", "a\nb")
	f("", "x", "a ")
	f("", "X", "1")
	f("", "x", "1", ":authority", "h")
}

func TestTrailersBecomeLines(t *testing.T) {
	f := func(want string, fields ...string) {
		t.Helper()
		if got := headOf(true, fields...); got != want {
			t.Errorf("%q: %q, want %q", fields, got, want)
		}
	}
	f("Grpc-Status: 0|", "grpc-status", "0")
	f("", ":path", "/")
	f("", "connection", "close")
	f("", "x", "a\r\nb: c")
}

// Whatever a client compresses, what comes of it is one request to the core, to
// its last byte, or none.
func FuzzBlock(f *testing.F) {
	seed := func(fields ...string) {
		var b bytes.Buffer
		enc := hpack.NewEncoder(&b)
		for i := 0; i < len(fields); i += 2 {
			_ = enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		f.Add(b.Bytes())
	}
	seed(":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a", "cookie", "b", "x", "y")
	seed(":method", "CONNECT", ":protocol", "websocket", ":scheme", "https", ":path", "/", ":authority", "a")
	seed(":method", "POST", ":scheme", "http", ":path", "/\r\nx: y", "content-length", "5", "host", "b\r\n")
	f.Fuzz(func(t *testing.T, p []byte) {
		b := block{most: 64 << 10}
		b.begin(false)
		d := hpack.NewDecoder(tableSize, b.field)
		if _, err := d.Write(p); err != nil || d.Close() != nil || !b.end() {
			return
		}
		head := append(bytes.Clone(b.head), "\r\n"...)
		var q wire.Request
		n, err := q.Parse(head)
		if err == wire.ErrMore || err == nil && n != len(head) {
			t.Errorf("%q: %d of %d bytes, %v", head, n, len(head), err)
		}
		if err == nil && q.Chunked {
			t.Errorf("%q says how it is framed", head)
		}
	})
}

// FuzzFields: what we compress, others read.
func FuzzFields(f *testing.F) {
	f.Add("Content-Type", "text/html", 200)
	f.Add("X-"+strings.Repeat("a", 300), strings.Repeat("b", 70000), 599)
	f.Fuzz(func(t *testing.T, name, value string, status int) {
		if !validToken(name) || status < 100 || status > 599 {
			return
		}
		p := appendPlain(appendStatus([]byte{noTable}, status), []byte(name), []byte(value))
		got, err := hpack.NewDecoder(tableSize, nil).DecodeFull(p)
		if err != nil || len(got) != 2 || got[0].Name != ":status" || got[1].Value != value || !strings.EqualFold(got[1].Name, name) {
			t.Errorf("%q: %q: %v, %v", name, value, got, err)
		}
	})
}
