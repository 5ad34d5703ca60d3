package edge

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httputil"
	"strings"
	"testing"
	"testing/iotest"

	"multiserver/proxy/wire"
)

// taken is a sink that writes down what it is told.
type taken struct {
	said strings.Builder
	body []byte
}

func (w *taken) head(r *wire.Response, _ wire.Framing, end bool) error {
	fmt.Fprintf(&w.said, "%d", r.Status)
	for i := range r.Fields {
		if f := &r.Fields[i]; !f.Kind.Hop() {
			fmt.Fprintf(&w.said, " %s=%s", r.Name(f), r.Value(f))
		}
	}
	w.said.WriteString("; ")
	w.end(end)
	return nil
}

func (w *taken) send(p []byte, end bool) error {
	w.body = append(w.body, p...)
	w.end(end)
	return nil
}

func (w *taken) end(end bool) {
	if end {
		w.said.WriteString("end;")
	}
}

func (w *taken) trailer(name, value []byte) { fmt.Fprintf(&w.said, "%s=%s; ", name, value) }
func (w *taken) last() error                { w.end(true); return nil }
func (w *taken) flush(bool)                 {}

// told is what came of an answer written in pieces of up to n bytes.
func told(b []byte, n int, head bool) string {
	w := &taken{}
	var a answer
	a.begin(w, head, false)
	for len(b) > 0 {
		k := min(n, len(b))
		if _, err := a.write(b[:k]); err != nil {
			return "reset"
		}
		b = b[k:]
	}
	if !a.Ended() {
		return "reset"
	}
	return fmt.Sprintf("%s %q", w.said.String(), w.body)
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
	f(ok+"Content-Length: 2\r\n\r\nhi", `200 Content-Length=2; end; "hi"`)
	f(chunked+"1\r\nh\r\n1\r\ni\r\n0\r\n\r\n", `200; end; "hi"`)
	f(chunked+"0\r\nX-T:  1 \r\n\r\n", `200; X-T=1; end; ""`)
	f("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"+ok+"Content-Length: 0\r\n\r\n",
		`103 Link=a; 200 Content-Length=0; end; ""`)
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
		q := request{buf: []byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n")}
		q.begin(given{io.MultiReader(strings.NewReader(body[:3]), iotest.DataErrReader(strings.NewReader(body[3:])))}, chunked, 0)
		var out bytes.Buffer
		if _, err := io.CopyBuffer(&out, struct{ io.Reader }{reader{&q}}, make([]byte, room)); err != nil {
			t.Fatal(err)
		}
		head, rest, _ := strings.Cut(out.String(), "\r\n\r\n")
		if want := "POST / HTTP/1.1\r\nTransfer-Encoding: chunked"; head != want {
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

// given is a body with a trailer.
type given struct{ io.Reader }

func (given) appendTrailers(dst []byte) []byte { return append(dst, "X-T: 1\r\n"...) }

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
