package meta

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	f := func(ttl time.Duration, want int64) {
		t.Helper()
		if got := expiry(now, ttl); got != want {
			t.Errorf("%v: %d, want %d", ttl, got, want)
		}
	}
	f(0, 0)
	f(time.Nanosecond, 2)
	f(time.Second, 2)
	f(1500*time.Millisecond, 3)
	f(time.Hour, 3601)
	f(month-2*time.Second, 2592000-1)
	f(month, 1_800_000_000+2592001) // a date from here on
	f(31*24*time.Hour, 1_800_000_000+31*86400+1)
}

func TestReplies(t *testing.T) {
	f := func(line string, want reply, bad error) {
		t.Helper()
		if got, err := parse([]byte(line)); !errors.Is(err, bad) || err == nil && got != want {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
	f("HD", reply{code: codeDone}, nil)
	f("HD c18446744073709551615 O7", reply{code: codeDone, cas: 1<<64 - 1, opaque: 7}, nil)
	f("VA 12 s12 t-1 c5 W", reply{code: codeValue, size: 12, cas: 5}, nil)
	f("VA 0  O1 ", reply{code: codeValue, opaque: 1}, nil)
	f("EN", reply{code: codeMiss}, nil)
	f("NF O3", reply{code: codeMiss, opaque: 3}, nil)
	f("NS c0", reply{code: codeStays}, nil)
	f("EX", reply{code: codeConflict}, nil)
	f("HD c18446744073709551616", reply{}, errProtocol)
	f("HD O", reply{}, errProtocol)
	f("HD O-1", reply{}, errProtocol)
	f("VA", reply{}, errProtocol)
	f("VA 1048577", reply{}, errProtocol)
	f("HDx", reply{}, errProtocol)
	f("", reply{}, errProtocol)
	f("ERROR", reply{}, errRefused)
	f("SERVER_ERROR out of memory", reply{}, errRefused)
	f("CLIENT_ERROR bad", reply{}, errRefused)
}

func FuzzReply(f *testing.F) {
	f.Add([]byte("VA 12 c5 O9"))
	f.Add([]byte("SERVER_ERROR x"))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parse(line)
		if err == nil && (r.size < 0 || r.size > maxValue || int(r.code) >= len(meaning)) {
			t.Errorf("%q: %+v", line, r)
		}
	})
}

// TestOnlyWhatANewServerTakesMoves also says that servers have like shares,
// and that their order is nothing.
func TestOnlyWhatANewServerTakesMoves(t *testing.T) {
	three := open(t, Options{Servers: []string{"a:1", "b:1", "c:1"}})
	four := open(t, Options{Servers: []string{"d:1", "c:1", "b:1", "a:1"}})
	const keys = 10000
	share := map[string]int{}
	for i := range keys {
		key := fmt.Appendf(nil, "session:%d", i)
		before, now := three.pick(key).addr, four.pick(key).addr
		if before != now && now != "d:1" {
			t.Fatalf("%s: from %s to %s", key, before, now)
		}
		share[now]++
	}
	for name, n := range share {
		if n < keys/5 || n > keys*3/10 {
			t.Errorf("%s has %d of %d", name, n, keys)
		}
	}
}
