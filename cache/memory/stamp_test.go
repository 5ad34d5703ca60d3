package memory

import (
	"bytes"
	"testing"

	"github.com/cespare/xxhash/v2"
)

func TestStampIsReadAsItWasWritten(t *testing.T) {
	f := func(rec string, zeros int, epoch, at, hash uint64, k kind) {
		t.Helper()
		v, sum := begin(nil, []byte(rec), epoch, hash, k)
		v = finish(append(v, make([]byte, zeros)...), at, len(rec), k, sum)
		want := stamp{epoch, at, len(rec)}
		if got, err := open(v, hash, k); got != want || err != nil {
			t.Errorf("%+v, %v, not %+v", got, err, want)
		}
		move(v, at+1000)
		want.at += 1000
		if got, err := open(v, hash, k); got != want || err != nil {
			t.Errorf("moved: %+v, %v, not %+v", got, err, want)
		}
		if _, err := open(v, hash, 1-k); err != errKind {
			t.Errorf("as the other kind: %v", err)
		}
		if _, err := open(v, hash+1, k); err != errCorrupt {
			t.Errorf("under another key: %v", err)
		}
	}
	const most = 1<<64 - 1
	f("", 0, 0, 0, 0, record)
	f("a", 0, 1, 2, 3, record)
	f("a", 700, 1, 2, 3, piece)
	f(string(make([]byte, MaxRecord(0))), 0, most, 1<<47-2000, most, piece)
}

// Whatever lies in the ring: no panic, and nothing is handed out whose sum does
// not agree.
func FuzzFind(f *testing.F) {
	m := least(f)
	good, sum := begin(nil, []byte("record"), 5, xxhash.Sum64String("key"), record)
	good = finish(good, 77, 6, record, sum)
	f.Add([]byte("key"), good)
	f.Add([]byte("key"), good[1:])
	f.Add([]byte(""), make([]byte, stampSize))
	f.Add([]byte("key"), bytes.Repeat([]byte{0xff}, 100))
	f.Fuzz(func(t *testing.T, key, value []byte) {
		m.ring.Set(key, value)
		dst := []byte("before ")
		rec, epoch, ok := m.Find(dst, key)
		if !bytes.HasPrefix(rec, dst) {
			t.Fatalf("Find lost what was in dst: %q", rec)
		}
		rec = rec[len(dst):]
		if !ok {
			if len(rec) != 0 {
				t.Fatalf("a miss with %d bytes", len(rec))
			}
			return
		}
		if !bytes.HasPrefix(value, rec) {
			t.Fatalf("%q is not in %q", rec, value)
		}
		_, sum := begin(nil, rec, epoch, xxhash.Sum64(key), record)
		if want := finish(nil, 0, 0, record, sum)[8:]; !bytes.HasSuffix(value, want) {
			t.Fatalf("%q is handed out, its sum is not that of %q", rec, value)
		}
	})
}
