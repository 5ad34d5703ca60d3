package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/cache/redis"
	"multiserver/cache/redis/redistest"
	"multiserver/proxy/wire"
)

// keyOf is the name in Redis of what a node stores for a path.
func keyOf(path string) string { return "multiserver:{http://site.test" + path + "}" }

func TestForeignAndDamagedRecordsAreMisses(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	o := newOrigin(t)
	a, b := start(t, "A", o, s.URL()), start(t, "B", o, s.URL())
	f := func(path string, want int, spoil func(value string) string) {
		t.Helper()
		a.wants(path, 1)
		var value string
		for end := time.Now().Add(patience); value == "" && time.Now().Before(end); {
			value, _ = s.Do("GET", keyOf(path))
		}
		if value == "" {
			t.Fatalf("%s: nothing in Redis", path)
		}
		time.Sleep(250 * time.Millisecond) // or A takes it for a race with its own put, and drops it
		if _, err := s.Do("SET", keyOf(path), spoil(value), "EX", "60"); err != nil {
			t.Fatal(err)
		}
		b.wants(path, 1)
		if got := o.fetched(path); got != want {
			t.Errorf("%s: fetched %d times, want %d", path, got, want)
		}
	}
	at := func(i int, to byte) func(string) string {
		return func(v string) string { return v[:i] + string([]byte{to}) + v[i+1:] }
	}
	f("/as-it-was", 1, func(v string) string { return v })
	f("/another-version", 2, at(4, 99))
	f("/another-layout", 2, at(2, 99))
	f("/no-record", 2, func(string) string { return "some string" })
	f("/cut-off", 2, func(v string) string { return v[:len(v)-1] })
	f("/a-bit", 2, func(v string) string { return at(len(v)-3, v[len(v)-3]^1)(v) })
	f("/another-key", 2, func(string) string {
		v, _ := s.Do("GET", keyOf("/a-bit"))
		return v
	})
	// A list, where a string should be.
	a.wants("/a-list", 1)
	time.Sleep(50 * time.Millisecond)
	s.Do("DEL", keyOf("/a-list"))
	s.Do("RPUSH", keyOf("/a-list"), "x")
	b.wants("/a-list", 1)
}

// Foreign records are counted, and records that are right but for what the
// cache itself says, too.
func TestForeignRecordsAreCounted(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	c, err := cache.New(t.Context(), cache.Options{Memory: memory.Options{Size: 64 << 20}, Object: 1 << 20,
		Redis: &redis.Options{URL: s.URL(), ReadTimeout: time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for end := time.Now().Add(patience); !c.Redis().Up() && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	key := func(path string) []byte { return c.Key(false, []byte("site.test"), []byte(path)) }
	find := func(path string) cache.Verdict {
		var q wire.Request
		if _, err := q.Parse([]byte("GET " + path + " HTTP/1.1\r\nHost: site.test\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		var v cache.Visit
		defer v.End()
		return c.Find(&v, &q, false, q.Host)
	}
	put := func(path string, version uint32, rec string) {
		t.Helper()
		other, err := redis.Open(context.Background(), redis.Options{URL: s.URL(), Version: version})
		if err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(patience); !other.Up() && time.Now().Before(end); time.Sleep(time.Millisecond) {
		}
		other.Put(key(path), []byte(rec), time.Minute, false)
		other.Close()
	}
	put("/another-version", 77, strings.Repeat("x", 200))
	put("/nonsense", 1, strings.Repeat("x", 200)) // the version is right, what is in it is not
	for _, path := range []string{"/another-version", "/nonsense"} {
		if v := find(path); v != cache.Miss {
			t.Errorf("%s: verdict %d, want a miss", path, v)
		}
	}
	if foreign, corrupt := c.Redis().Stats.Foreign.Load(), c.Stats.Corrupt.Load(); foreign != 1 || corrupt != 1 {
		t.Errorf("%d foreign and %d corrupt are counted, want one of each", foreign, corrupt)
	}
}
