//go:build linux

package spawn

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// patience is far more than anything here takes; it ends a test that hangs.
const patience = 60 * time.Second

func noPool([]pool.Target) []*pool.Upstream { return nil }

// stage is an App with a pool.
type stage struct {
	*App
	t    *testing.T
	pool *pool.Pool
	log  *notes
	from <-chan Event
	seen []Event
	stop func()
	done chan struct{}
}

// start runs an app of these tests. Its events wait to be asked for.
func start(t *testing.T, kind string, change ...func(*Options)) *stage {
	t.Helper()
	s := &stage{t: t, log: new(notes), done: make(chan struct{})}
	o := Options{
		Command:   append([]string{os.Args[0], "app"}, strings.Fields(kind)...),
		Instances: 1,
		Drain:     patience,
		Log:       slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	if s.App, err = New(o); err != nil {
		t.Fatal(err)
	}
	guard := wire.NewGuard()
	s.pool = pool.New(pool.Options{Guard: guard, Connect: patience, Response: patience, MaxHead: 64 << 10, MaxIdle: 8, Log: s.opt.Log})
	var unlisten func()
	s.from, unlisten = s.Events().Listen()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() {
		defer close(s.done)
		s.Run(ctx, func(ts []pool.Target) []*pool.Upstream {
			s.pool.Set(ts)
			return s.pool.Upstreams()
		})
	}()
	t.Cleanup(func() {
		cancel()
		s.wait()
		s.pool.Close()
		guard.Close()
		unlisten()
		if t.Failed() {
			t.Logf("it logged:\n%s", s.log)
		}
	})
	return s
}

func (s *stage) wait() {
	s.t.Helper()
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Fatal("Run does not return")
	}
}

// event waits for the next of a kind.
func (s *stage) event(k Kind) Event {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-s.from:
			s.seen = append(s.seen, e)
			if e.Kind == k {
				return e
			}
		case <-late:
			s.t.Fatalf("no %s came, but %v", k, s.seen)
		}
	}
}

// ready waits for n instances to be.
func (s *stage) ready(n int) *stage {
	s.t.Helper()
	s.until(fmt.Sprint(n, " are ready"), func() bool { return s.Ready() == n })
	return s
}

func (s *stage) until(what string, ok func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("it does not come about that %s", what)
		}
	}
}

// get asks the first member.
func (s *stage) get(path string) string {
	s.t.Helper()
	body, err := s.try(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return body
}

func (s *stage) try(path string) (string, error) {
	s.door.Lock()
	t := s.members[0].target
	s.door.Unlock()
	c := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, t.Network, t.Addr)
	}}}
	res, err := c.Get("http://app" + path)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// says waits until the log has all of these in one line.
func (s *stage) says(parts ...string) {
	s.t.Helper()
	s.until("the log says "+strings.Join(parts, " … "), func() bool {
		for line := range strings.Lines(s.log.String()) {
			if has(line, parts...) {
				return true
			}
		}
		return false
	})
}

func has(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// lives tells whether a process is there, and no corpse.
func lives(pid int) bool {
	_, state, _, ok := stat(pid)
	return ok && state != 'Z' && syscall.Kill(pid, 0) == nil
}

// notes is a log that can be read while it is written.
type notes struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (n *notes) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.Write(p)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.buf.String()
}
