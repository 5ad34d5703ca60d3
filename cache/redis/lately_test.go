package redis

import (
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

func TestWhatIsBeingDroppedIsNotFound(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	r := upTier(t, s.URL(), func(o *Options) { o.ReadTimeout = time.Second })
	key := []byte("k")
	r.Put(key, []byte("old"), time.Minute, false)
	within(t, "a put", func() bool { return r.text("k") == "old" })
	s.Pause()
	r.Drop(key)
	_, err := r.Find(nil, key)
	s.Resume()
	if err != ErrMiss {
		t.Errorf("while the drop is on its way: %v, want a miss, without asking", err)
	}
	within(t, "a put after it", func() bool {
		r.Put(key, []byte("new"), time.Minute, false) // one may be dropped: Redis was away
		return r.text("k") == "new"
	})
}

func TestWhatIsOwedIsNotFound(t *testing.T) {
	t.Parallel()
	r := upTier(t, redistest.Single(t).URL())
	f := func(name string, want bool) {
		t.Helper()
		if got := r.owed.has(name); got != want {
			t.Errorf("%s owed: %v, want %v", name, got, want)
		}
	}
	r.owed.add("a", 1)
	f("a", true)
	f("b", false)
	r.owed.take()
	f("a", true) // it is being done
	r.owed.done()
	f("a", false)
	r.owed.add("a", 1)
	r.owed.add("b", 1)
	f("c", true) // too many: all
}

// Redis may have done another node's drop before a put of ours that was on its
// way: the record is older than the drop.
func TestAPutThatADropOvertookOnItsWayDoesNotStay(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	a, b := upTier(t, s.URL()), upTier(t, s.URL())
	key := []byte("k")
	name := a.names.record(key)
	on := []op{{does: put, name: name}}
	a.queue.lately.begin(on)
	b.Put(key, []byte("old"), time.Minute, false) // in place of ours: its news is that of the drop
	within(t, "the record's end", func() bool { return b.Stats.Puts.Load() == 1 && b.text("k") != "old" })

	a.queue.lately.begin(on) // answered long ago: others may change it
	a.queue.lately.end(on)
	time.Sleep(2 * moment)
	b.Put(key, []byte("new"), time.Minute, false)
	within(t, "the second put", func() bool { return b.Stats.Puts.Load() == 2 })
	time.Sleep(100 * time.Millisecond) // nothing must happen meanwhile
	if got := b.text("k"); got != "new" {
		t.Errorf("long after: %q, want new", got)
	}
}

func TestPutsDoNotOutliveABrokenLink(t *testing.T) {
	t.Parallel()
	var q queue
	q.init(10, 1000)
	q.add(op{does: put, name: "a", value: []byte("1")})
	q.add(op{does: drop, name: "b"})
	q.add(op{does: put, name: "c", value: []byte("2")})
	if n := q.overtakenAll(); n != 2 || q.bytes != 0 || len(q.puts) != 0 {
		t.Errorf("%d removed, %d bytes left", n, q.bytes)
	}
	if left := q.take(nil); len(left) != 1 || left[0].name != "b" {
		t.Errorf("left: %v", left)
	}
}

func TestALeaseIsRenewedByItsHolderOnly(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	a, b := upTier(t, s.URL()), upTier(t, s.URL())
	lease, err := a.Lease([]byte("k"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	a.Renew(lease, time.Minute)
	time.Sleep(1200 * time.Millisecond)
	if _, err := b.Lease([]byte("k"), time.Minute); err != ErrTaken {
		t.Errorf("renewed: %v, want it taken", err)
	}
	b.Renew(Lease{lease.name, "another"}, time.Millisecond)
	time.Sleep(50 * time.Millisecond)
	if _, err := b.Lease([]byte("k"), time.Minute); err != ErrTaken {
		t.Errorf("after another's renewal: %v, want it taken", err)
	}
}
