package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/sync/session/memcached/memcachedtest"
)

// patience is for what has to come about, on a busy machine.
const patience = 30 * time.Second

func open(t testing.TB, o Options) *Client {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = patience
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestCommands(t *testing.T) {
	servers := map[string][]string{
		"tcp":     {memcachedtest.Start(t).Addr},
		"unix":    {memcachedtest.StartUnix(t).Addr},
		"several": {memcachedtest.Start(t).Addr, memcachedtest.Start(t).Addr, memcachedtest.StartUnix(t).Addr},
	}
	for name, addrs := range servers {
		t.Run(name, func(t *testing.T) {
			c := open(t, Options{Servers: addrs})
			for i := range 20 {
				commands(t, c, []byte(fmt.Sprint("key", i)))
			}
		})
	}
}

func commands(t *testing.T, c *Client, key []byte) {
	ctx := t.Context()
	var cas, last uint64
	f := func(what string, got, want error) {
		t.Helper()
		if !errors.Is(got, want) {
			t.Fatalf("%s: %v, want %v", what, got, want)
		}
	}
	put := func(n uint64, err error) error { last, cas = cas, n; return err }
	holds := func(want string) {
		t.Helper()
		val, n, err := c.Get(ctx, []byte("> "), key)
		if err != nil || string(val) != "> "+want || n != cas {
			t.Fatalf("holds %q %d, %v; want %q %d", val, n, err, want, cas)
		}
	}
	_, _, err := c.Get(ctx, nil, key)
	f("get what is not there", err, ErrMiss)
	_, err = c.Swap(ctx, key, []byte("x"), 5, time.Hour)
	f("swap what is not there", err, ErrMiss)
	f("touch what is not there", c.Touch(ctx, key, time.Hour), ErrMiss)
	f("delete what is not there", c.Delete(ctx, key, 0), ErrMiss)
	f("add", put(c.Add(ctx, key, []byte("one"), time.Hour)), nil)
	holds("one")
	_, err = c.Add(ctx, key, []byte("two"), time.Hour)
	f("add again", err, ErrExists)
	f("swap", put(c.Swap(ctx, key, []byte("two\r\nEN\r\n"), cas, 60*24*time.Hour)), nil)
	holds("two\r\nEN\r\n")
	_, err = c.Swap(ctx, key, []byte("three"), last, time.Hour)
	f("swap what has changed", err, ErrConflict)
	f("delete what has changed", c.Delete(ctx, key, last), ErrConflict)
	f("touch", c.Touch(ctx, key, 31*24*time.Hour), nil)
	holds("two\r\nEN\r\n")
	f("set nothing", put(c.Set(ctx, key, nil, 0)), nil)
	holds("")
	f("delete", c.Delete(ctx, key, cas), nil)
	for i := range uint64(3) {
		if n, err := c.Count(ctx, key, 7, time.Hour); err != nil || n != 7*(i+1) {
			t.Fatalf("count: %d, %v", n, err)
		}
	}
	_, _, err = c.GetTouch(ctx, nil, key, time.Hour)
	f("get and touch", err, nil)
	f("the end", c.Delete(ctx, key, 0), nil)
}

func TestLargestAndBeyond(t *testing.T) {
	s := memcachedtest.Start(t)
	c := open(t, Options{Servers: []string{s.Addr}})
	long := bytes.Repeat([]byte("k"), MaxKey)
	val := bytes.Repeat([]byte("v"), MaxValue)
	if _, err := c.Set(t.Context(), long, val, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got, _, err := c.Get(t.Context(), nil, long); err != nil || !bytes.Equal(got, val) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if _, err := c.Set(t.Context(), long, append(val, 'v'), 0); !errors.Is(err, ErrSize) {
		t.Errorf("a longer value: %v", err)
	}
	for _, key := range []string{"", "a b", "a\r\nflush_all", "a\x00", "\x7f", strings.Repeat("k", MaxKey+1)} {
		if _, _, err := c.Get(t.Context(), nil, []byte(key)); !errors.Is(err, ErrKey) {
			t.Errorf("key %.20q: %v", key, err)
		}
	}
}

// TestServerThatRefuses: what it says is told, and it is asked again.
func TestServerThatRefuses(t *testing.T) {
	s := memcachedtest.Start(t, "-I", "512k")
	c := open(t, Options{Servers: []string{s.Addr}})
	for range 2 * tolerance {
		_, err := c.Set(t.Context(), []byte("k"), bytes.Repeat([]byte("v"), 600<<10), 0)
		if err == nil || !strings.Contains(err.Error(), "object too large") {
			t.Fatal(err)
		}
	}
	if _, err := c.Set(t.Context(), []byte("k"), []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
}

func TestUserAndPassword(t *testing.T) {
	dir, err := os.MkdirTemp("", "memcached") // memcached, as nobody, cannot look into t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "users")
	if err := os.WriteFile(file, []byte("eve:secret\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := memcachedtest.Start(t, "-Y", file)
	f := func(user, password string, ok bool) {
		c := open(t, Options{Servers: []string{s.Addr}, User: user, Password: password})
		_, err := c.Set(t.Context(), []byte("k"), []byte("v"), 0)
		if (err == nil) != ok {
			t.Errorf("%q %q: %v", user, password, err)
		}
	}
	f("eve", "secret", true)
	f("eve", "guess", false)
	f("", "", false)
}

// TestCountsAreExact also has more callers than connections.
func TestCountsAreExact(t *testing.T) {
	c := open(t, Options{Servers: []string{memcachedtest.Start(t).Addr}, Conns: 3})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for range 100 {
				for {
					val, cas, err := c.Get(t.Context(), nil, []byte("n"))
					if errors.Is(err, ErrMiss) {
						_, err = c.Add(t.Context(), []byte("n"), []byte("x"), time.Hour)
					} else if err == nil {
						_, err = c.Swap(t.Context(), []byte("n"), append(val, 'x'), cas, time.Hour)
					}
					if err == nil {
						break
					}
					if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrExists) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	callers.Wait()
	if val, _, err := c.Get(t.Context(), nil, []byte("n")); err != nil || len(val) != 800 {
		t.Errorf("%d, %v", len(val), err)
	}
}

func TestNames(t *testing.T) {
	f := func(ok bool, names ...string) {
		t.Helper()
		if _, err := New(Options{Servers: names}); (err == nil) != ok {
			t.Errorf("%q: %v", names, err)
		}
	}
	f(true, "10.0.0.1:11211", "unix:/run/memcached.sock", "[::1]:11211")
	f(false)
	f(false, "10.0.0.1")
	f(false, "10.0.0.1:")
	f(false, "unix:")
	f(false, "a:1", "b:1", "a:1")
}

func TestClosed(t *testing.T) {
	c := open(t, Options{Servers: []string{memcachedtest.Start(t).Addr}})
	if _, err := c.Set(t.Context(), []byte("k"), nil, 0); err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, _, err := c.Get(t.Context(), nil, []byte("k")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Get(ctx, nil, []byte("k")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
