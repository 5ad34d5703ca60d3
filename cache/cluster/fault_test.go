package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"multiserver/cache/redis/redistest"
)

// brief is the default: a machine that is late at times costs fetches, no
// answers.
var brief = []string{"--redis-timeout", "20ms"}

// slack is how much longer than it should an answer may take where tests of
// other packages have the machine as well.
const slack = 10 * time.Second

// back waits until all nodes have found Redis again.
func back(nodes []*node, times int) {
	for _, n := range nodes {
		n.logs(redisUp, times)
	}
}

func TestRedisKilledPausedAndBack(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t, "--appendonly", "yes")
	nodes := three(t, newOrigin(t), s.URL(), brief...)
	l := begin(t, nodes)
	defer l.end()
	l.phase("all is well", slack, func() { l.change(4) })
	l.phase("killed", slack, func() {
		s.Kill()
		for _, n := range nodes {
			n.logs(redisAway, 1)
		}
		time.Sleep(500 * time.Millisecond)
	})
	l.phase("back with its data", slack, func() {
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		back(nodes, 2)
		l.change(3)
	})
	l.phase("paused", slack, func() {
		s.Pause()
		time.Sleep(2 * time.Second)
		s.Resume()
		back(nodes, 3)
		l.change(3)
	})
	l.phase("killed and empty", slack, func() {
		s.Do("FLUSHALL")
		s.Kill()
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1200 * time.Millisecond) // too short for each to notice it as away
		l.change(3)
	})
}

func TestRedisFailsOver(t *testing.T) {
	t.Parallel()
	s := redistest.Sentinel(t)
	nodes := three(t, newOrigin(t), strings.ReplaceAll(s.URL, "?master=", "/"), brief...)
	l := begin(t, nodes)
	defer l.end()
	l.phase("all is well", slack, func() { l.change(2) })
	l.phase("the master dies, the replica takes over", slack, func() {
		s.Masters[0].Kill()
		back(nodes, 2)
		l.change(3)
	})
}

func TestAShardOfAClusterIsLost(t *testing.T) {
	t.Parallel()
	s := redistest.Cluster(t)
	nodes := three(t, newOrigin(t), s.URL, brief...)
	l := begin(t, nodes)
	defer l.end()
	l.phase("all is well", slack, func() { l.change(2) })
	l.phase("a shard is lost", slack, func() {
		s.Replicas[0].Kill()
		s.Masters[0].Kill()
		time.Sleep(2 * time.Second)
	})
}

// A Redis that hangs costs one --redis-timeout for each of the first few
// misses, and then nothing.
func TestARedisThatHangsCostsLittle(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	const timeout = 2 * time.Second // far longer than a busy machine stands still
	n := start(t, "A", newOrigin(t), s.URL(), "--redis-timeout", timeout.String())
	n.wants("/warm", 1)
	s.Pause()
	defer s.Resume()
	for i := range 3 {
		if took := n.wants(fmt.Sprint("/first/", i), 1).took; took > 2*timeout {
			t.Errorf("miss %d took %v, want one --redis-timeout of %v", i, took, timeout)
		}
	}
	var sum time.Duration
	for i := range 20 {
		sum += n.wants(fmt.Sprint("/then/", i), 1).took
	}
	if sum/20 > timeout/4 {
		t.Errorf("then a miss took %v on the average: Redis is still waited for", sum/20)
	}
}

// What was dropped while a node's link was broken is not used by it any more
// once the link is back: all it has in memory is suspect until it has asked.
func TestWhatWasMissedOverABrokenLinkIsNotServed(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	o := newOrigin(t)
	wire := newRelay(t, s.Addr)
	a, b := start(t, "A", o, s.URL()), start(t, "B", o, wire.url())
	const dropped, replaced, kept, purged = "/dropped", "/replaced", "/kept", "/purged?tag=red"
	all := []string{dropped, replaced, kept, purged}
	for _, uri := range all {
		a.wants(uri, 1)
	}
	time.Sleep(50 * time.Millisecond) // on their way to Redis
	for _, uri := range all {
		b.wants(uri, 1)
	}
	wire.sever()
	b.logs(redisAway, 1)
	a.change(dropped)
	a.change(replaced)
	a.wants(replaced, 2)
	o.mu.Lock()
	o.changed[purged]++
	o.mu.Unlock()
	if r := a.ask(t.Context(), "PURGE", "/", "Surrogate-Key: red"); r.status != 200 {
		t.Errorf("PURGE: %d %v", r.status, r.err)
	}
	time.Sleep(50 * time.Millisecond)
	for _, uri := range all { // B cannot know, and goes on with what it has
		b.wants(uri, 1)
	}
	wire.mend()
	b.logs(redisUp, 2)
	b.wants(dropped, 2)
	b.wants(replaced, 2)
	b.wants(purged, 2)
	before := o.fetched(kept)
	b.wants(kept, 1)
	if o.fetched(kept) != before {
		t.Error("what was not changed was fetched again, although Redis has it")
	}
}

// A fetch that was under way when the link broke brings what may have been
// dropped since: others must not get it by Redis.
func TestAFetchOverABrokenLinkIsNotShared(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t)
	o := newOrigin(t)
	wire := newRelay(t, s.Addr)
	a, b := start(t, "A", o, s.URL()), start(t, "B", o, wire.url())
	const uri = "/slow?delay=1500ms"
	old := make(chan reply, 1)
	go func() { old <- b.get(uri) }()
	o.busy(t, uri)
	wire.sever()
	b.logs(redisAway, 1)
	a.change(uri)
	time.Sleep(300 * time.Millisecond) // of what a drop leaves in Redis the end is told, too
	wire.mend()
	b.logs(redisUp, 2)
	r := <-old
	if wrong := r.wrong(uri, 1); wrong != "" {
		t.Error(wrong)
	}
	time.Sleep(50 * time.Millisecond)
	a.wants(uri, 2)
	b.wants(uri, 2)
}

// What a node drops while Redis is away is dropped there before it is asked
// again.
func TestADropWhileRedisIsAwayIsMadeUpFor(t *testing.T) {
	t.Parallel()
	s := redistest.Single(t, "--appendonly", "yes")
	o := newOrigin(t)
	a, b := start(t, "A", o, s.URL()), start(t, "B", o, s.URL())
	const uri = "/page"
	a.wants(uri, 1)
	b.soon(uri, 1)
	s.Kill()
	a.logs(redisAway, 1)
	b.logs(redisAway, 1)
	a.change(uri)
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if left, _ := s.Do("EXISTS", keyOf(uri)); left != "1" {
		t.Log("Redis has lost its data: nothing to drop")
	}
	a.logs(redisUp, 2)
	b.logs(redisUp, 2)
	a.wants(uri, 2)
	b.soon(uri, 2)
}
