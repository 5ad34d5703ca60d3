package cache

import (
	"strings"
	"testing"
)

// What was changed while it was fetched is not stored, whoever fetched it.
func TestWhatIsDroppedWhileItIsFetchedIsNotStored(t *testing.T) {
	f := func(path, answer string, lines ...string) {
		t.Helper()
		s := newStage(t, Options{})
		change := &stage{T: t, c: s.c}
		change.answers("HTTP/1.1 200 OK\n\n")
		s.origin = func(string) string {
			change.do("POST", path)
			return answer
		}
		s.get(path, lines...)
		s.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nnew")
		if body, st := s.get(path); body != "new" || !strings.Contains(st, "fwd=uri-miss") {
			t.Errorf("%s %v: %q, %s, want new from the origin", path, lines, body, st)
		}
	}
	const old = "HTTP/1.1 200 OK\nCache-Control: max-age=10\n"
	f("/", old+"\nold")
	f("/alone", old+"\nold", "Cache-Control: no-cache") // it leads no flight
	f("/alone", old+"\nold", "Cache-Control: max-age=0")
	f("/large", old+"\n"+strings.Repeat("old", 50_000))
	f("/vary", old+"Vary: X-Kind\n\nold")
	f("/vary-alone", old+"Vary: X-Kind\n\nold", "Cache-Control: no-cache")
	f("/part", "HTTP/1.1 206 Partial Content\nCache-Control: max-age=10\nContent-Range: bytes 0-2/3\nContent-Length: 3\n\nold", "Range: bytes=0-2")
}

func TestNamesOfVariantsComeAfterTheFirst(t *testing.T) {
	s := newStage(t, Options{})
	var v Visit
	q := s.request("GET", "/")
	if s.c.Find(&v, q, false, q.Host) != Miss {
		t.Fatal("there is something")
	}
	res, _ := s.parse("HTTP/1.1 200 OK\nCache-Control: max-age=10\nVary: X-Kind\n\n")
	s.c.Answered(&v, q, res)
	if _, _, there := s.c.mem.Find(nil, v.key); there {
		t.Error("names are there before the answer's end: other nodes would fetch it, too")
	}
	v.Append([]byte("body"))
	v.Commit()
	v.End()
	s.want("/", "body", "hit; ttl=10; detail=memory")
}
