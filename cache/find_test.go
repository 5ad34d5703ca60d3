package cache

import (
	"strings"
	"testing"
	"time"

	"multiserver/cache/purge"
)

const second = 1000

func TestAFreshAnswerIsAHitAndAStaleOneIsValidated(t *testing.T) {
	s := newStage(t, Options{})
	s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\nETag: \"a\"\n\none")
	s.want("/", "one", "fwd=uri-miss; stored")
	s.now += 9 * second
	s.want("/", "one", "hit; ttl=1; detail=memory")
	s.now += 2 * second
	s.answers("HTTP/1.1 304 Not Modified\nETag: \"a\"\nCache-Control: max-age=20\n\n")
	s.want("/", "one", "fwd=stale; fwd-status=304; ttl=20; detail=revalidated")
	s.now += 19 * second
	s.want("/", "one", "hit; ttl=1; detail=memory")
	if got := s.asked[1]; got != "GET /\nIf-None-Match: \"a\"\r\n" {
		t.Errorf("validated by %q", got)
	}
}

func TestBodiesOfAllLengthsComeBack(t *testing.T) {
	s := newStage(t, Options{})
	for _, n := range []int{0, 1, 1000, maxInline - 400, maxInline, chunk - 1, chunk, chunk + 1, 3*chunk + 7, 1 << 20} {
		body := strings.Repeat("0123456789abcdef!", n/17+1)[:n]
		s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\n" + body)
		path := "/" + strings.Repeat("x", n%50)
		s.c.dropOne(s.c.Key(false, []byte("example.org"), []byte(path)))
		s.want(path, body, "fwd=uri-miss; stored")
		s.want(path, body, "hit; ttl=10; detail=memory")
	}
	s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\n" + strings.Repeat("x", 1<<20+1))
	s.get("/long")
	if _, st := s.get("/long"); !strings.Contains(st, "fwd=uri-miss") {
		t.Errorf("longer than --cache-object: %s", st)
	}
}

func TestVariantsLieApart(t *testing.T) {
	s := newStage(t, Options{})
	s.origin = func(string) string { return "HTTP/1.1 200 OK\nCache-Control: max-age=10\nVary: A\n\n" }
	vary := func(a string) string {
		s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\nVary: A\n\n" + a)
		_, st := s.get("/", "A: "+a)
		return st
	}
	f := func(a, want string) {
		t.Helper()
		if got := vary(a); got != "multiserver; "+want {
			t.Errorf("A: %s: %s, want %s", a, got, want)
		}
	}
	f("1", "fwd=uri-miss; stored")
	f("2", "fwd=vary-miss; stored")
	f("1", "hit; ttl=10; detail=memory")
	f("2", "hit; ttl=10; detail=memory")
	s.do("DELETE", "/")
	f("1", "fwd=uri-miss; stored")
	f("2", "fwd=vary-miss; stored") // not found again although it had been there
}

func TestStaleWhereAllowed(t *testing.T) {
	s := newStage(t, Options{Grace: 10 * time.Second})
	f := func(control, failing string, after int64, want string) {
		t.Helper()
		s.now += 1000 * second
		s.answers("HTTP/1.1 200 OK\nCache-Control: " + control + "\n\ngood")
		s.get("/")
		s.now += after * second
		s.answers(failing)
		if _, got := s.get("/"); !strings.Contains(got, want) {
			t.Errorf("%s, after %d s: %s, want %s", control, after, got, want)
		}
	}
	const broken = "HTTP/1.1 503 Service Unavailable\n\nbad"
	f("max-age=5", broken, 8, "detail=stale")
	f("max-age=5", broken, 16, "fwd=stale")
	f("max-age=5", "HTTP/1.1 404 Not Found\n\nbad", 8, "fwd=stale")
	f("max-age=5, stale-if-error=60", broken, 64, "detail=stale")
	f("max-age=5, stale-if-error=60", broken, 66, "fwd=stale")
	f("max-age=5, stale-if-error=0", broken, 6, "fwd=stale")
	f("max-age=5, must-revalidate", broken, 6, "fwd=stale")
	f("s-maxage=5", broken, 6, "fwd=stale")
	f("max-age=5, stale-while-revalidate=30", broken, 20, "hit; ttl=-15; detail=stale")
}

func TestPurgedIsGone(t *testing.T) {
	s := newStage(t, Options{})
	s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\nSurrogate-Key: a b\nETag: \"1\"\n\none")
	f := func(m purge.Mark, path, want string) {
		t.Helper()
		s.get(path)
		if err := s.c.Purge(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if _, got := s.get(path); !strings.Contains(got, want) {
			t.Errorf("%+v: %s is %s, want %s", m, path, got, want)
		}
	}
	f(purge.Mark{Kind: purge.Tag, Name: []byte("b")}, "/x", "fwd=uri-miss")
	f(purge.Mark{Kind: purge.Tag, Name: []byte("c")}, "/x", "hit")
	f(purge.Mark{Kind: purge.Prefix, Name: []byte("http://example.org/x/")}, "/x/y", "fwd=uri-miss")
	f(purge.Mark{Kind: purge.Prefix, Name: []byte("http://example.org/x/")}, "/x", "hit")
	f(purge.Mark{Kind: purge.All}, "/x", "fwd=uri-miss")
	f(purge.Mark{Kind: purge.All, Soft: true}, "/x", "fwd=stale")
}

func TestAPurgeDuringAFetchReachesItsAnswer(t *testing.T) {
	s := newStage(t, Options{})
	s.origin = func(string) string {
		if err := s.c.Purge(t.Context(), purge.Mark{Kind: purge.All}); err != nil {
			t.Fatal(err)
		}
		return "HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nold"
	}
	s.get("/")
	if _, got := s.get("/"); !strings.Contains(got, "fwd=") {
		t.Errorf("what was purged while it was fetched is %s", got)
	}
}

func TestAnUnsafeRequestDuringAFetchSpoilsIt(t *testing.T) {
	s := newStage(t, Options{})
	s.origin = func(asked string) string {
		if strings.HasPrefix(asked, "GET") && len(s.asked) == 1 {
			s.do("PUT", "/")
		}
		return "HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nold"
	}
	s.get("/")
	if _, got := s.get("/"); !strings.Contains(got, "fwd=uri-miss") {
		t.Errorf("what was changed while it was fetched is %s", got)
	}
}

// The client asked for the whole: it must not get the part instead.
func TestAPartThatCannotBecomeWholeIsNoAnswer(t *testing.T) {
	s := newStage(t, Options{})
	s.answers("HTTP/1.1 206 Partial Content\nCache-Control: max-age=60\nETag: \"a\"\nContent-Range: bytes 0-4/10\nContent-Length: 5\n\n01234")
	s.get("/", "Range: bytes=0-4")
	var v Visit
	defer v.End()
	q := s.request("GET", "/")
	if s.c.Find(&v, q, false, q.Host) != Miss {
		t.Fatal("there is a whole")
	}
	res, body := s.parse("HTTP/1.1 206 Partial Content\nCache-Control: max-age=60\nETag: \"a\"\nContent-Range: bytes 5-9/10\nContent-Length: 5\n\n56789")
	if got := s.c.Answered(&v, q, res); got != Gather {
		t.Fatalf("outcome %d, want Gather", got)
	}
	s.do("PUT", "/") // meanwhile
	v.Append([]byte(body))
	v.Commit()
	if v.Entry.There() {
		t.Errorf("status %d is taken for the answer", v.Entry.Status())
	}
}
