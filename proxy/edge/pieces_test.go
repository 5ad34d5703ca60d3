package edge

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"multiserver/proxy/wire"
)

// taken is a ResponseWriter that writes down what it is told.
type taken struct {
	h    http.Header
	said strings.Builder
	body []byte
}

func (w *taken) Header() http.Header              { return w.h }
func (w *taken) WriteHeader(status int)           { fmt.Fprintf(&w.said, "%d %v;", status, w.h) }
func (w *taken) Write(p []byte) (int, error)      { w.body = append(w.body, p...); return len(p), nil }
func (w *taken) Flush()                           {}
func (w *taken) SetReadDeadline(time.Time) error  { return nil }
func (w *taken) SetWriteDeadline(time.Time) error { return nil }

// told is what came of an answer written in pieces of up to n bytes.
func told(b []byte, n int, head bool) string {
	w := &taken{h: http.Header{}}
	var a answer
	a.begin(w, head, false, false)
	for len(b) > 0 {
		k := min(n, len(b))
		if _, err := a.write(b[:k]); err != nil {
			return "reset"
		}
		b = b[k:]
	}
	if a.state != ended {
		return "reset"
	}
	return fmt.Sprintf("%s%q %v", w.said.String(), w.body, w.h)
}

func TestAnswersMeanTheSameInAnyPieces(t *testing.T) {
	f := func(answer, want string) {
		t.Helper()
		for n := 1; n <= len(answer); n++ {
			if got := told([]byte(answer), n, false); got != want {
				t.Errorf("%q by %d:\n got %s\nwant %s", answer, n, got, want)
				return
			}
		}
	}
	const (
		ok      = "HTTP/1.1 200 OK\r\n"
		chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"
	)
	f(ok+"Content-Length: 2\r\n\r\nhi", `200 map[Content-Length:[2] Content-Type:[]];"hi" map[Content-Length:[2] Content-Type:[]]`)
	f(chunked+"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", `200 map[Content-Type:[]];"hi" map[]`)
	f(chunked+"0\r\nX-T:  1 \r\n\r\n", `200 map[Content-Type:[]];"" map[Trailer:X-T:[1]]`)
	f("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"+ok+"Content-Length: 0\r\n\r\n",
		`103 map[Content-Type:[] Link:[a]];200 map[Content-Length:[0] Content-Type:[]];"" map[Content-Length:[0] Content-Type:[]]`)
	for _, bad := range []string{
		ok + "\r\nto the end", ok + "Content-Length: 2\r\n\r\nh", ok + "Content-Length: 2\r\n\r\nhi!",
		chunked + "1\r\nhi\r\n0\r\n\r\n", chunked + "x\r\n", chunked + "\r\n", chunked + "1\nh\r\n0\r\n\r\n",
		chunked + "1;a\r\nh\r\n0\r\n\r\n", chunked + "1\r\nh\r\n0\r\n", chunked + "0\r\nX\r\n\r\n", "HTTP/1.1 20",
	} {
		f(bad, "reset")
	}
}

func TestBodiesMeanTheSameInAnyPieces(t *testing.T) {
	body := strings.Repeat("0123456789", 100)
	for _, room := range []int{1, 7, roomy - 1, roomy, 1000, 5000} {
		r, _ := http.NewRequest("POST", "http://a/", io.MultiReader(strings.NewReader(body[:3]), iotest.DataErrReader(strings.NewReader(body[3:]))))
		r.RequestURI, r.ContentLength, r.Trailer = "/", -1, http.Header{"X-T": {"1"}}
		var q request
		q.begin(r)
		var out bytes.Buffer
		if _, err := io.CopyBuffer(&out, struct{ io.Reader }{reader{&q}}, make([]byte, room)); err != nil {
			t.Fatal(err)
		}
		head, rest, _ := strings.Cut(out.String(), "\r\n\r\n")
		if want := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T"; head != want {
			t.Errorf("%q, want %q", head, want)
		}
		in := strings.NewReader(rest)
		got, err := io.ReadAll(httputil.NewChunkedReader(in))
		if end, _ := io.ReadAll(in); string(got) != body || err != nil || !q.ended() {
			t.Errorf("room for %d: %q, %v, then %q", room, got, err, end)
		}
		if !strings.HasSuffix(rest, "0\r\nX-T: 1\r\n\r\n") {
			t.Errorf("%q", rest[len(rest)-30:])
		}
	}
}

type reader struct{ q *request }

func (r reader) Read(p []byte) (int, error) { return r.q.read(p) }

// However the core's bytes are cut, they mean the same; and a body is never
// longer than what was written.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"), 3, false)
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n"), 5, false)
	f.Add([]byte("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), 1, true)
	f.Fuzz(func(t *testing.T, b []byte, n int, head bool) {
		if n < 1 || len(b) > wire.SmallBuffer {
			return
		}
		if whole, cut := told(b, len(b)+1, head), told(b, n, head); whole != cut {
			t.Errorf("%q: whole %s, by %d %s", b, whole, n, cut)
		}
	})
}
