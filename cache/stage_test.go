package cache

import (
	"bytes"
	"strings"
	"testing"

	"multiserver/cache/memory"
	"multiserver/proxy/wire"
)

// stage plays the proxy: it finds, forwards to an origin that is a function of
// the request's head, and stores.
type stage struct {
	*testing.T
	c      *Cache
	now    int64
	asked  []string                    // the heads that the origin saw, conditions included
	origin func(request string) string // a head and a body, lines ended by \n
}

func newStage(t *testing.T, o Options) *stage {
	t.Helper()
	s := &stage{T: t, now: 1_800_000_000_000}
	o.Memory = memory.Options{Size: 64 << 20}
	o.Clock = func() int64 { return s.now }
	if o.Object == 0 {
		o.Object = 1 << 20
	}
	var err error
	if s.c, err = New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.c.Close)
	return s
}

// answers makes the origin say the same to everyone.
func (s *stage) answers(answer string) { s.origin = func(string) string { return answer } }

// get is a GET of path with more lines, and what the client gets: the status
// and body, and what Cache-Status says of it.
func (s *stage) get(path string, lines ...string) (body, status string) {
	return s.do("GET", path, lines...)
}

func (s *stage) do(method, path string, lines ...string) (body, status string) {
	s.Helper()
	var v Visit
	defer v.End()
	return s.visit(&v, s.request(method, path, lines...))
}

func (s *stage) request(method, path string, lines ...string) *wire.Request {
	s.Helper()
	var q wire.Request
	head := method + " " + path + " HTTP/1.1\r\nHost: example.org\r\n" + strings.Join(append(lines, "\r\n"), "\r\n")
	if len(lines) == 0 {
		head = method + " " + path + " HTTP/1.1\r\nHost: example.org\r\n\r\n"
	}
	if _, err := q.Parse([]byte(head)); err != nil {
		s.Fatalf("%q: %v", head, err)
	}
	return &q
}

func (s *stage) visit(v *Visit, q *wire.Request) (body, status string) {
	s.Helper()
	switch s.c.Find(v, q, false, q.Host) {
	case Hit:
		return s.stored(v), string(v.AppendStatus(nil))
	case Refused:
		return "", "refused"
	}
	return s.forward(v, q)
}

func (s *stage) forward(v *Visit, q *wire.Request) (body, status string) {
	s.Helper()
	asked := string(q.Method) + " " + string(q.Path) + "\n" + string(v.AppendConditions(nil))
	s.asked = append(s.asked, asked)
	res, body := s.parse(s.origin(asked))
	if !v.Active() {
		s.c.Changed(v, q, false, q.Host, res)
	} else {
		switch s.c.Answered(v, q, res) {
		case Confirmed:
			return s.stored(v), string(v.AppendStatus(nil))
		case Fallback:
			v.UseStale()
			return s.stored(v), string(v.AppendStatus(nil))
		case Again:
			return s.forward(v, q)
		case Gather:
			v.Append([]byte(body))
			v.Commit()
			return s.stored(v), string(v.AppendStatus(nil))
		}
	}
	status = string(v.AppendStatus(nil))
	for rest := []byte(body); len(rest) > 0 && v.Storing(); { // in pieces, as it flows
		n := min(len(rest), 5000)
		v.Append(rest[:n])
		rest = rest[n:]
	}
	if v.Storing() {
		v.Commit()
	}
	return body, status
}

func (s *stage) parse(answer string) (*wire.Response, string) {
	s.Helper()
	head, body, _ := strings.Cut(answer, "\n\n")
	var r wire.Response
	if _, err := r.Parse([]byte(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")); err != nil {
		s.Fatalf("%q: %v", head, err)
	}
	return &r, body
}

// stored is the whole body of a hit.
func (s *stage) stored(v *Visit) string {
	s.Helper()
	b := v.Body()
	var out bytes.Buffer
	buf := make([]byte, wire.LargeBuffer)
	for int64(out.Len()) < b.Length {
		p, ok := b.At(buf, int64(out.Len()))
		if !ok {
			s.Fatalf("torn after %d of %d bytes", out.Len(), b.Length)
		}
		out.Write(p)
	}
	return out.String()
}

// want fails unless a GET gets that body with that Cache-Status.
func (s *stage) want(path, body, status string, lines ...string) {
	s.Helper()
	b, st := s.get(path, lines...)
	if b != body {
		s.Errorf("%s: body %.40q, want %.40q", path, b, body)
	}
	if want := "multiserver; " + status; st != want {
		s.Errorf("%s: %s, want %s", path, st, want)
	}
}
