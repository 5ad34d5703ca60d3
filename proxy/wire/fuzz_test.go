package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// prefixes checks what holds for every parser of heads: what it takes for
// whole is whole, and no more than that; what stands behind changes nothing.
func prefixes(t *testing.T, head []byte, parse func([]byte) (int, error)) {
	t.Helper()
	n, err := parse(head)
	if err != nil {
		if n != 0 && err == ErrMore {
			t.Fatalf("%q: %d bytes and %v", head, n, err)
		}
		return
	}
	if n <= 0 || n > len(head) {
		t.Fatalf("%q: %d of %d bytes", head, n, len(head))
	}
	for i := range n {
		if _, err := parse(head[:i:i]); err != ErrMore {
			t.Fatalf("%q: %v after %d of %d bytes", head, err, i, n)
		}
	}
	if m, err := parse(append(head[:n:n], "\r\n\x00 : \n\r\n\r\n"...)); m != n || err != nil {
		t.Fatalf("%q: with bytes behind it %d, %v", head, m, err)
	}
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"\r\nPOST /x?y HTTP/1.1\r\nhost: a:1\r\nContent-Length: 5\r\nX:  \t\r\n\r\nhello",
		"POST http://b/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nConnection: TE, x\r\n\r\n0\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
		"GET / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"GET //e/..?x=:// HTTP/1.1\r\nHost: a\r\nCookie: \xff\r\n folded\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		var q Request
		prefixes(t, head, q.Parse)
		n, err := q.Parse(head)
		if err != nil {
			return
		}
		other, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(bytes.TrimLeft(head[:n], "\r\n"))))
		if err != nil {
			if !knownRefusal(&q, err) {
				t.Fatalf("%q: taken, but refused by net/http: %v", head[:n], err)
			}
			return
		}
		sameRequest(t, &q, other)
	})
}

// knownRefusal lists what we pass on and net/http does not take.
func knownRefusal(q *Request, err error) bool {
	var escape url.EscapeError
	var host url.InvalidHostError
	var parse *url.Error
	switch {
	case errors.As(err, &escape), errors.As(err, &host):
		return true // a stray "%": a target is the upstream's to decode
	case errors.As(err, &parse):
		// A host of an absolute target with "%41": net/url decodes nothing
		// in a host that it would not encode there.
		return q.Absolute || string(q.Method) == "CONNECT"
	case q.Chunked && strings.Contains(err.Error(), "bad trailer key"):
		return true // Trailer announces a field that may not be one; we drop it when it comes
	}
	return false
}

// sameRequest compares what decides where a message goes and where it ends.
func sameRequest(t *testing.T, q *Request, other *http.Request) {
	t.Helper()
	if other.Method != string(q.Method) || other.RequestURI != string(q.Target) || other.ProtoMinor != int(q.Minor) {
		t.Fatalf("%q: line read as %s %s 1.%d", q.Raw, other.Method, other.RequestURI, other.ProtoMinor)
	}
	if string(q.Method) != "CONNECT" && other.Host != string(q.Host) {
		t.Fatalf("%q: host %q, net/http %q", q.Raw, q.Host, other.Host)
	}
	length := q.Length
	if q.Chunked {
		length = -1
	} else if length < 0 {
		length = 0
	}
	if other.ContentLength != length || (len(other.TransferEncoding) > 0) != q.Chunked {
		t.Fatalf("%q: length %d, net/http %d %v", q.Raw, length, other.ContentLength, other.TransferEncoding)
	}
	sameFields(t, &q.Head, other.Header)
}

// sameFields compares the fields that net/http leaves in its Header.
func sameFields(t *testing.T, h *Head, other http.Header) {
	t.Helper()
	want := http.Header{}
	for i := range h.Fields {
		f := &h.Fields[i]
		name := textproto.CanonicalMIMEHeaderKey(string(h.Name(f)))
		want[name] = append(want[name], string(h.Value(f)))
	}
	for _, name := range []string{"Host", "Transfer-Encoding", "Trailer", "Content-Length", "Cache-Control"} {
		delete(want, name) // moved elsewhere, merged, or derived from Pragma
		other.Del(name)
	}
	for name, values := range want {
		if !slices.Equal(values, other[name]) {
			t.Fatalf("%q: %s is %q, net/http %q", h.Raw, name, values, other[name])
		}
	}
	if len(want) != len(other) {
		t.Fatalf("%q: %d names, net/http %d", h.Raw, len(want), len(other))
	}
}

func FuzzResponse(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n0\r\n\r\n",
		"HTTP/1.0 404 Not  Found\r\nConnection: keep-alive, x\r\nDate: now\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"HTTP/1.1 304 \r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		var r Response
		prefixes(t, head, r.Parse)
		n, err := r.Parse(head)
		if err != nil {
			return
		}
		other, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head[:n])), &http.Request{Method: "GET"})
		if err != nil {
			if r.Chunked && strings.Contains(err.Error(), "bad trailer key") {
				return
			}
			t.Fatalf("%q: taken, but refused by net/http: %v", head[:n], err)
		}
		if other.StatusCode != r.Status || other.ProtoMinor != int(r.Minor) {
			t.Fatalf("%q: line read as %d 1.%d", head[:n], other.StatusCode, other.ProtoMinor)
		}
		want := map[Framing]int64{None: 0, Sized: r.Length, Chunked: -1, ToClose: -1}[r.Framing(false)]
		if !r.Bodiless() && (other.ContentLength != want || (len(other.TransferEncoding) > 0) != r.Chunked) {
			t.Fatalf("%q: length %d, net/http %d %v", head[:n], want, other.ContentLength, other.TransferEncoding)
		}
		sameFields(t, &r.Head, other.Header)
	})
}

func FuzzChunked(f *testing.F) {
	for _, s := range []string{
		"5\r\nhello\r\n6;x=\"y\"\r\n world\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
		"00a\r\n0123456789\r\n0\r\nX: y\r\nContent-Length: 3\r\n\r\n",
		"7fffffffffffffff\r\nx",
		"1\nx\r\n0\r\n\n",
		"1 \r\nx\r\n0\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	g := newGuard(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		whole := message{framing: Chunked, data: string(data)}
		want := whole.read(t, g, len(data)+1)
		for _, piece := range []int{1, 2, 3, 5, 7, 11} {
			if got := whole.read(t, g, piece); got != want {
				t.Fatalf("%q: %s, in pieces of %d %s", data, want, piece, got)
			}
		}
		c := NewConn(&feed{data: string(data), piece: len(data) + 1}, g, HeadBuffer)
		defer c.Close()
		var b Body
		var ours []byte
		b.Begin(c, Chunked, 0, 0)
		for err := error(nil); err != io.EOF; {
			var p []byte
			p, err = b.Take()
			ours = append(ours, p...)
			if err == ErrMore {
				err = b.Fill()
			}
			if err != nil && err != io.EOF {
				return // not accepted
			}
		}
		theirs, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(data)))
		if err != nil && strings.Contains(err.Error(), "too much non-data") {
			return // its allowance for framing is 16 KiB, ours 64
		}
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Fatalf("%q: %q, net/http %q, %v", data, ours, theirs, err)
		}
	})
}
