//go:build !race

package meta

import (
	"bytes"
	"testing"
	"time"

	"multiserver/sync/session/memcached/memcachedtest"
)

func TestCallsDoNotAlloc(t *testing.T) {
	c := open(t, Options{Servers: []string{memcachedtest.Start(t).Addr, memcachedtest.Start(t).Addr}})
	ctx, key, val := t.Context(), []byte("key"), bytes.Repeat([]byte("v"), 1024)
	buf := make([]byte, 0, 2048)
	cas, err := c.Set(ctx, key, val, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	f := func(name string, call func() error) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() {
			if err := call(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	f("get", func() error { _, _, err := c.Get(ctx, buf, key); return err })
	f("get and touch", func() error { _, _, err := c.GetTouch(ctx, buf, key, time.Hour); return err })
	f("swap", func() (err error) { cas, err = c.Swap(ctx, key, val, cas, time.Hour); return err })
}

func BenchmarkGet(b *testing.B) {
	c := open(b, Options{Servers: []string{memcachedtest.Start(b).Addr}})
	ctx, key := b.Context(), []byte("key")
	if _, err := c.Set(ctx, key, bytes.Repeat([]byte("v"), 1024), 0); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Get(ctx, buf, key); err != nil {
			b.Fatal(err)
		}
	}
}
