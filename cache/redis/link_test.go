package redis

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
	"multiserver/proxy/wire/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// tier opens one and closes it with the test. Reads have time: machines that
// run tests are busy. Where the time is what is tested, it is set.
func tier(t testing.TB, url string, set ...func(*Options)) *Redis {
	t.Helper()
	opt := Options{URL: url, ReadTimeout: time.Second, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	if !testing.Verbose() {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	for _, f := range set {
		f(&opt)
	}
	r, err := Open(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func upTier(t testing.TB, url string, set ...func(*Options)) *Redis {
	t.Helper()
	r := tier(t, url, set...)
	within(t, "link up", r.Up)
	return r
}

// patience is far more than anything here takes; it ends a test that hangs.
const patience = 30 * time.Second

func within(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func (r *Redis) text(key string) string {
	rec, err := r.Find(nil, []byte(key))
	if err != nil {
		return strings.TrimPrefix(err.Error(), "redis: ")
	}
	return string(rec)
}

// news collects what Changed says.
type news struct {
	mu   sync.Mutex
	keys map[string]int
	all  int
}

func (n *news) listen(o *Options) {
	n.keys = map[string]int{}
	o.Changed = func(key []byte) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if key == nil {
			n.all++
			return
		}
		n.keys[string(key)]++
	}
}

func (n *news) of(key string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.keys[key]
}

func (n *news) everything() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all
}

func TestRecordsAreFoundUntilTheyExpire(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	r := upTier(t, s.URL())
	long := bytes.Repeat([]byte("to be squeezed "), 1000)
	r.Put([]byte("a"), []byte("one"), time.Minute, true)
	r.Put([]byte("}{"), long, time.Minute, true)
	r.Put([]byte("short"), []byte("x"), 50*time.Millisecond, true)
	within(t, "puts", func() bool { return r.Stats.Puts.Load() == 3 })
	f := func(key, want string) {
		t.Helper()
		if got := r.text(key); got != want {
			t.Errorf("%q: %.40q, want %.40q", key, got, want)
		}
	}
	f("a", "one")
	f("}{", string(long))
	f("none", "no such record")
	if n := r.Stats.PutBytes.Load(); n > 2000 {
		t.Errorf("%d bytes written of %d: not squeezed", n, len(long))
	}
	within(t, "expiry", func() bool { return r.text("short") == "no such record" })
	r.Drop([]byte("a"))
	within(t, "drop", func() bool { return r.text("a") == "no such record" })
}
