package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"
)

// A load asks all nodes for a few pages, some new ones and some that are
// changed meanwhile, and checks every answer: that there is one, that it is
// that of its page, that it is not older than its directives allow, and not of
// a version before the last change that everybody knew of.
type load struct {
	t     *testing.T
	nodes []*node
	stop  context.CancelFunc
	ended sync.WaitGroup

	mu      sync.Mutex
	least   map[string]int // guarded by mu; by URI, the version that all know
	asked   int            // guarded by mu
	bad     int            // guarded by mu
	longest time.Duration  // guarded by mu; since the last look at it
}

const (
	pages = 20
	// fresh is for how long pages are; how much older an answer may be is what
	// rounding to seconds and a busy machine take.
	fresh   = 2 * time.Second
	tooOld  = fresh + 6*time.Second
	askers  = 2 // for each node
	thought = 5 * time.Millisecond
	// settling is how long a change may take to be known everywhere. It takes a
	// millisecond; the rest is for a machine that does other things as well.
	settling = 800 * time.Millisecond
)

func pageURI(i int) string { return fmt.Sprintf("/page/%d?cc=max-age%%3D%d", i, int(fresh.Seconds())) }

func begin(t *testing.T, nodes []*node) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{t: t, nodes: nodes, stop: stop, least: map[string]int{}}
	for _, n := range nodes {
		for range askers {
			l.ended.Go(func() { l.ask(ctx, n) })
		}
	}
	return l
}

func (l *load) ask(ctx context.Context, n *node) {
	for i := 0; ctx.Err() == nil; i++ {
		uri := pageURI(rand.N(pages))
		if i%10 == 0 { // never asked for before
			uri = fmt.Sprintf("/new/%d", rand.Uint64())
		}
		l.mu.Lock()
		least := l.least[uri]
		l.mu.Unlock()
		began := time.Now()
		r := n.get(uri)
		l.check(n, uri, least, began, &r)
		time.Sleep(rand.N(2 * thought))
	}
}

func (l *load) check(n *node, uri string, least int, began time.Time, r *reply) {
	wrong := r.wrong(uri, 0)
	made, _ := strconv.ParseInt(r.header.Get("X-Made"), 10, 64)
	switch age := began.Sub(time.UnixMilli(made)); {
	case wrong != "":
	case r.version < least:
		wrong = fmt.Sprintf("version %d, and %d was known to all before", r.version, least)
	case age > tooOld && uri[:5] == "/page":
		wrong = fmt.Sprintf("made %v ago, is fresh for %v", age, fresh)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	l.longest = max(l.longest, r.took)
	if wrong == "" {
		return
	}
	if l.bad++; l.bad <= 5 {
		l.t.Errorf("%s: GET %s: %s", n.name, uri, wrong)
	}
}

// change changes some pages, and holds all to it once that is known everywhere.
func (l *load) change(times int) {
	for i := range times {
		uri := pageURI(rand.N(pages))
		version := l.nodes[i%len(l.nodes)].change(uri)
		time.Sleep(settling)
		l.mu.Lock()
		l.least[uri] = max(l.least[uri], version)
		l.mu.Unlock()
	}
}

// phase runs f, and says what the clients noticed of it.
func (l *load) phase(name string, bound time.Duration, f func()) {
	l.t.Helper()
	l.mu.Lock()
	asked := l.asked
	l.longest = 0
	l.mu.Unlock()
	f()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.t.Logf("%s: %d answers, the longest took %v", name, l.asked-asked, l.longest.Round(time.Millisecond))
	if l.longest > bound {
		l.t.Errorf("%s: an answer took %v, want %v at most", name, l.longest, bound)
	}
}

// end stops it, and looks at what the nodes take.
func (l *load) end() {
	l.t.Helper()
	l.stop()
	l.ended.Wait()
	if l.bad > 0 {
		l.t.Errorf("%d of %d answers were wrong", l.bad, l.asked)
	}
	for _, n := range l.nodes {
		if got := n.memory(); got > 64+100 {
			l.t.Errorf("%s takes %d MiB, want 164 at most: its cache and what a server takes", n.name, got)
		}
	}
}
