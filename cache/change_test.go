package cache

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
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

// What others waited for is not stored if it was dropped meanwhile; they do not
// all go themselves then.
func TestWhoWaitedForWhatWasDroppedLetsOneGo(t *testing.T) {
	s := newStage(t, Options{Wait: 5 * time.Second})
	synctest.Test(t, func(t *testing.T) {
		var leader Visit
		q := s.request("GET", "/")
		if s.c.Find(&leader, q, false, q.Host) != Miss {
			t.Fatal("there is something")
		}
		got := make(chan string)
		one := &stage{T: t, c: s.c}
		one.answers("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\nnew")
		go func() {
			body, status := one.get("/")
			got <- body + " " + status
		}()
		synctest.Wait()
		s.c.drop(leader.key)
		res, _ := s.parse("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\n")
		s.c.Answered(&leader, q, res)
		leader.Append([]byte("old"))
		leader.Commit()
		if st := <-got; st != "new multiserver; fwd=uri-miss; stored" {
			t.Error(st)
		}
		leader.End()
	})
}

// What was dropped before it was forwarded is as good as any.
func TestAFlightSpoiledBeforeItsFetchIsStored(t *testing.T) {
	s := newStage(t, Options{Wait: 5 * time.Second})
	var v Visit
	q := s.request("GET", "/")
	if s.c.Find(&v, q, false, q.Host) != Miss {
		t.Fatal("there is something")
	}
	s.c.drop(v.key)
	v.leave() // it is forwarded now, after waiting for another node
	res, _ := s.parse("HTTP/1.1 200 OK\nCache-Control: max-age=10\n\n")
	s.c.Answered(&v, q, res)
	v.Append([]byte("body"))
	v.Commit()
	v.End()
	s.want("/", "body", "hit; ttl=10; detail=memory")
}
