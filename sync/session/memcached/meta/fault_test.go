package meta

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"multiserver/sync/session/memcached/memcachedtest"
)

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not come about: %s", what)
		}
	}
}

func works(t *testing.T, c *Client) {
	t.Helper()
	until(t, "the server answers", func() bool { _, err := c.Set(t.Context(), []byte("k"), []byte("v"), 0); return err == nil })
}

func TestServerThatIsDownAtFirst(t *testing.T) {
	s := memcachedtest.Start(t)
	s.Kill()
	c := open(t, Options{Servers: []string{s.Addr}})
	for range tolerance {
		if _, _, err := c.Get(t.Context(), nil, []byte("k")); err == nil || errors.Is(err, ErrMiss) {
			t.Fatal(err)
		}
	}
	if _, _, err := c.Get(t.Context(), nil, []byte("k")); !errors.Is(err, ErrDown) {
		t.Error(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	works(t, c)
}

// TestRestartCostsNoCall: the connections that were left have ended, and
// nobody gets to know.
func TestRestartCostsNoCall(t *testing.T) {
	s := memcachedtest.Start(t)
	c := open(t, Options{Servers: []string{s.Addr}})
	works(t, c)
	s.Kill()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Get(t.Context(), nil, []byte("k")); !errors.Is(err, ErrMiss) {
		t.Error(err)
	}
}

func TestServerThatHangs(t *testing.T) {
	s := memcachedtest.Start(t)
	c := open(t, Options{Servers: []string{s.Addr}})
	works(t, c)
	s.Pause()
	defer s.Resume()
	for range tolerance {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, _, err := c.Get(ctx, nil, []byte("k")); !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		cancel()
	}
	if _, _, err := c.Get(t.Context(), nil, []byte("k")); !errors.Is(err, ErrDown) {
		t.Error(err)
	}
	s.Resume()
	until(t, "the server is asked again", func() bool {
		val, _, err := c.Get(t.Context(), nil, []byte("k"))
		return err == nil && string(val) == "v"
	})
}

// TestOneOfTwoIsAway: keys of the other do not notice.
func TestOneOfTwoIsAway(t *testing.T) {
	dead, alive := memcachedtest.Start(t), memcachedtest.Start(t)
	c := open(t, Options{Servers: []string{dead.Addr, alive.Addr}})
	dead.Kill()
	good, bad := 0, 0
	for i := range 50 {
		key := []byte{'k', byte('0' + i)}
		_, err := c.Set(t.Context(), key, key, 0)
		if there := c.pick(key).addr == alive.Addr; there != (err == nil) {
			t.Errorf("%s: %v", key, err)
		} else if there {
			good++
		} else {
			bad++
		}
	}
	if good == 0 || bad == 0 {
		t.Errorf("%d there, %d here", good, bad)
	}
}

func TestAllConnectionsInUse(t *testing.T) {
	s := memcachedtest.Start(t)
	c := open(t, Options{Servers: []string{s.Addr}, Conns: 1})
	k, err := c.begin(t.Context(), "mg ", []byte("k"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := c.Get(ctx, nil, []byte("k")); !errors.Is(err, ErrBusy) && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	r, err := k.ask(nil)
	if err := k.end(r, err, codeValue); !errors.Is(err, ErrMiss) {
		t.Error(err)
	}
	works(t, c)
}

// TestAnswersThatAreNone: whatever the other end says, the call fails and the
// connection is not used again.
func TestAnswersThatAreNone(t *testing.T) {
	f := func(answer string) {
		t.Helper()
		dials := 0
		c := open(t, Options{Servers: []string{"a:1"}, Dial: func(context.Context, string, string) (net.Conn, error) {
			dials++
			near, far := net.Pipe()
			go func() {
				buf := make([]byte, 1024)
				far.Read(buf)
				far.Write([]byte(answer))
				far.Close()
			}()
			return near, nil
		}})
		for range 2 {
			if _, _, err := c.Get(t.Context(), nil, []byte("k")); err == nil || errors.Is(err, ErrMiss) {
				t.Errorf("%q: %v", answer, err)
			}
		}
		if dials != 2 {
			t.Errorf("%q: %d dials", answer, dials)
		}
	}
	f("")
	f("VA 1 c1 O1\r\n")
	f("VA 1 c1 O1\r\nxx\r\n")
	f("VA 1 c1 O2\r\nx\r\n") // of another question
	f("VA 1 c1\r\nx\r\n")
	f("VA 99999999 c1 O1\r\nx\r\n")
	f("VA -1 c1 O1\r\nx\r\n")
	f("HD O1\r\n")
	f("EN O7\r\n")
	f("EN O1\n")
	f("END\r\n")
	f("HTTP/1.1 400 Bad Request\r\n\r\n")
	f("SERVER_ERROR out of memory\r\n")
}
