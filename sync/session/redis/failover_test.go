package redis

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/sync/session"
)

// load is how much the tests below put on. With SESSION_TEST_SOAK=1 it is that of the
// promise, and a lost write fails: else it is told, for on a machine that stands
// still Redis takes a master for dead that goes on to answer.
func load() (sessions, clients int, strict bool) {
	if os.Getenv("SESSION_TEST_SOAK") != "" {
		return 10_000, 64, true
	}
	return 200, 8, false
}

// user is a client with one session; one of the clients' goroutines acts for it
// at a time.
type user struct {
	name   string
	cookie []byte
	kept   int // the last number that was acknowledged
	tried  int // the last number that was set
}

// visit is one request: the backend counts up what it sees. It tells whether the
// session was seen, or nil if the store is away.
func (u *user) visit(s *session.Sessions, v *session.Visit) (seen int, err error) {
	v.Reset()
	s.Offer(v, u.cookie)
	if told, _ := s.Begin(v, nil); strings.HasPrefix(string(told), "X-Session-Error") {
		return 0, session.ErrAway
	}
	if name := v.Record.Find([]byte("user")); name != nil && string(name) != `"`+u.name+`"` {
		return 0, fmt.Errorf("%s sees the session of %s", u.name, name)
	}
	fmt.Sscan(string(v.Record.Find([]byte("n"))), &seen)
	u.tried++
	s.Take(v, []byte("X-Session-Set"), fmt.Appendf(nil, `{"user":"%s","n":%d}`, u.name, u.tried))
	out, outcome := s.Finish(v, nil)
	if outcome == session.Away {
		return seen, session.ErrAway
	}
	if rest, ok := strings.CutPrefix(string(out), "Set-Cookie: "); ok {
		pair, _, _ := strings.Cut(rest, ";")
		u.cookie, u.kept = []byte(pair), u.tried
	}
	return seen, nil
}

func TestFailoverLosesAndMixesNothing(t *testing.T) {
	t.Parallel()
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		set := redistest.Sentinel(t)
		failover(t, set.URL, set.Masters[0])
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		set := redistest.Cluster(t)
		failover(t, set.URL, set.Masters[1])
	})
}

// failover lets clients count over three nodes, kills the master, and lets them
// count on until each has been answered three times more.
func failover(t *testing.T, url string, master *redistest.Server) {
	sessions, clients, strict := load()
	var nodes []*session.Sessions
	for range 3 {
		store := open(t, Options{URL: url})
		keys := session.NewRing([]byte("what the nodes share"))
		s, err := session.New(session.Options{Store: store, Keys: keys, Fail: true})
		if err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, s)
	}
	begun := make(chan struct{}, clients)
	var killed atomic.Bool
	var lost, away atomic.Int64
	var wg sync.WaitGroup
	end := time.Now().Add(2 * time.Minute)
	for c := range clients {
		wg.Go(func() {
			users := make([]user, sessions/clients)
			var v session.Visit
			after, told := 0, false
			for round := 0; after < 3 && time.Now().Before(end); round++ {
				all := true
				for i := range users {
					u := &users[i]
					u.name = fmt.Sprintf("c%d-%d", c, i)
					kept, tried := u.kept, u.tried
					switch seen, err := u.visit(nodes[(c+i+round)%3], &v); {
					case err == session.ErrAway:
						away.Add(1)
						all = false
					case err != nil:
						t.Error(err)
					case kept > 0 && (seen < kept || seen > tried):
						lost.Add(1)
					}
				}
				if all && killed.Load() {
					after++
				}
				if !all {
					time.Sleep(5 * time.Millisecond)
				}
				if round >= 3 && !told {
					told = true
					begun <- struct{}{}
				}
			}
		})
	}
	for range clients {
		<-begun
	}
	master.Kill()
	killed.Store(true)
	wg.Wait()
	if time.Now().After(end) {
		t.Error("some were not answered again")
	}
	t.Logf("%d sessions, %d clients: %d requests without a store, %d lost writes", sessions, clients, away.Load(), lost.Load())
	if away.Load() == 0 {
		t.Error("the master was never missed")
	}
	if strict && lost.Load() > 0 {
		t.Error("acknowledged writes are lost")
	}
}
