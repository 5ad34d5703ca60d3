package cluster

import (
	"context"
	"sync"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

// crowd asks for one URI many times at once, through all nodes in turn.
func crowd(nodes []*node, n int, uri string, fields func(i int) []string) []reply {
	replies := make([]reply, n)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() {
			<-begin
			var f []string
			if fields != nil {
				f = fields(i)
			}
			replies[i] = nodes[i%len(nodes)].get(uri, f...)
		})
	}
	close(begin)
	wg.Wait()
	return replies
}

// slowest checks all replies, and gives the longest time one took.
func slowest(t *testing.T, uri string, replies []reply) (longest time.Duration) {
	t.Helper()
	bad := 0
	for i := range replies {
		longest = max(longest, replies[i].took)
		if wrong := replies[i].wrong(uri, 1); wrong != "" {
			if bad++; bad <= 3 {
				t.Errorf("%d: %s", i, wrong)
			}
		}
	}
	if bad > 3 {
		t.Errorf("%d of %d are wrong", bad, len(replies))
	}
	return longest
}

// patiently: those who ask at once are more than a busy machine serves in the
// usual time, and one that has waited for so long fetches for itself.
var patiently = []string{"--cache-wait", "25s"}

func TestOneFetchForAllWhoAskAtOnce(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	nodes := three(t, o, redistest.Single(t).URL(), patiently...)
	f := func(uri string, n int) {
		t.Helper()
		longest := slowest(t, uri, crowd(nodes, n, uri, nil))
		t.Logf("%s: %d fetches for %d, %v at most", uri, o.fetched(uri), n, longest.Round(time.Millisecond))
		if got := o.fetched(uri); got != 1 {
			t.Errorf("%s: fetched %d times, want once", uri, got)
		}
	}
	f("/at-once", 1000)
	f("/long?delay=1s", 1000)
	f("/chunked?chunked=1&size=20000&delay=100ms", 300)
	f("/large?size=1048576&delay=100ms", 60) // all in memory, thrice: the machine's bound, not ours
	f("/large-chunked?size=1048576&chunked=1&delay=100ms", 60)
	f("/body-late?slow=300ms&size=100000", 300)
	f("/vary?vary=X-Kind", 300)
	f("/vary-late?vary=X-Kind&slow=300ms&size=100000", 300)
}

func TestOneFetchForEachVariant(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	nodes := three(t, o, redistest.Single(t).URL(), patiently...)
	const uri = "/vary?vary=X-Kind&delay=100ms"
	kinds := []string{"a", "b", "c"}
	replies := crowd(nodes, 300, uri, func(i int) []string { return []string{"X-Kind: " + kinds[i/3%3]} })
	slowest(t, uri, replies)
	for i := range replies {
		if got, want := replies[i].variant, kinds[i/3%3]; got != want {
			t.Fatalf("%d: variant %q, want %q", i, got, want)
		}
	}
	// Nobody knows beforehand that they differ: each node may learn it by a
	// fetch of its own kind, but no more.
	if got := o.fetched(uri); got < 3 || got > 5 {
		t.Errorf("fetched %d times, want 3 or a few more", got)
	}
}

// What may not be stored is fetched for each who asks; but nobody waits for
// what will not come.
func TestNobodyWaitsForWhatIsNotShared(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	nodes := three(t, o, redistest.Single(t).URL())
	f := func(uri string, bound time.Duration) {
		t.Helper()
		const n = 300
		longest := slowest(t, uri, crowd(nodes, n, uri, nil))
		t.Logf("%s: %d fetches for %d, %v at most", uri, o.fetched(uri), n, longest.Round(time.Millisecond))
		if longest > bound {
			t.Errorf("%s: somebody waited %v, want %v at most", uri, longest, bound)
		}
		if got := o.fetched(uri); got != n {
			t.Errorf("%s: fetched %d times, want %d", uri, got, n)
		}
	}
	f("/private?cc=private", patience/2)
	f("/no-store?cc=no-store&delay=300ms", patience/2) // a fetch for each node to learn it, and one's own
}

func TestAFetchThatFailsIsMadeAgainByOne(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	nodes := three(t, o, redistest.Single(t).URL(), patiently...)
	// broken are those that get the failure itself.
	f := func(uri string, most, broken int) {
		t.Helper()
		replies := crowd(nodes, 300, uri, nil)
		bad := 0
		for i := range replies {
			if wrong := replies[i].wrong(uri, 1); wrong != "" {
				if bad++; bad > broken {
					t.Errorf("%s: %s", uri, wrong)
				}
			}
			if replies[i].took > patience/2 {
				t.Fatalf("%s: somebody waited %v", uri, replies[i].took)
			}
		}
		t.Logf("%s: %d fetches, %d of %d got the failure", uri, o.fetched(uri), bad, len(replies))
		if got := o.fetched(uri); got > most {
			t.Errorf("%s: fetched %d times, want %d at most", uri, got, most)
		}
	}
	f("/fail?fail=1&delay=200ms", 2, 1)
	f("/cut?cut=1&size=200000&delay=200ms", 2, 1)
	f("/cut-chunked?cut=1&size=200000&chunked=1&delay=200ms", 2, 1)
}

func TestAFetchOutlivesTheClientThatBeganIt(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	nodes := three(t, o, redistest.Single(t).URL())
	f := func(uri string, most int) {
		t.Helper()
		ctx, leave := context.WithCancel(context.Background())
		go nodes[0].ask(ctx, "GET", uri)
		o.busy(t, uri)
		time.AfterFunc(150*time.Millisecond, leave)
		longest := slowest(t, uri, crowd(nodes, 300, uri, nil))
		t.Logf("%s: %d fetches, %v at most", uri, o.fetched(uri), longest.Round(time.Millisecond))
		if got := o.fetched(uri); got > most {
			t.Errorf("%s: fetched %d times, want %d at most", uri, got, most)
		}
		if longest > patience/2 {
			t.Errorf("%s: somebody waited %v", uri, longest)
		}
	}
	f("/head-late?delay=400ms", 2)            // before the head came it is not known whether others could use it
	f("/body-late?slow=400ms&size=100000", 1) // then it is
	f("/body-late-chunked?slow=400ms&size=100000&chunked=1", 1)
}

// The lease of a node that is killed ends by itself after a second, and those
// who wait look four times in that.
func TestOthersGoOnWhenTheFetchingNodeIsKilled(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	nodes := three(t, o, redistest.Single(t).URL())
	const uri = "/slow?delay=700ms"
	go nodes[0].get(uri)
	o.busy(t, uri)
	time.AfterFunc(200*time.Millisecond, nodes[0].kill)
	longest := slowest(t, uri, crowd(nodes[1:], 300, uri, nil))
	t.Logf("%d fetches, %v at most", o.fetched(uri), longest.Round(time.Millisecond))
	const lease, look, fetch, slack = time.Second, 250 * time.Millisecond, 700 * time.Millisecond, patience / 2
	if bound := lease + look + fetch + slack; longest > bound {
		t.Errorf("somebody waited %v, want %v at most", longest, bound)
	}
	if got := o.fetched(uri); got != 2 {
		t.Errorf("fetched %d times, want twice: by the dead, and by one of the others for all", got)
	}
}
