package cache

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// handing is a process, and one that is to take its place.
type handing struct {
	old, heir *stage
	trail     *Trail
	caught    chan struct{}
	done      chan error // what Follow returned
	wire      net.Conn   // the old one's end
}

// hands has old hand on what it holds; meanwhile is what happens before the heir
// is told.
func hands(t *testing.T, old *stage, meanwhile func()) *handing {
	t.Helper()
	trail, err := old.c.HandOn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trail.End)
	h := &handing{old: old, trail: trail, caught: make(chan struct{}), done: make(chan error, 1)}
	h.heir = newStage(t, Options{File: old.c.opt.File, Heir: true, Log: slog.New(slog.DiscardHandler)})
	h.heir.answers(kept)
	h.heir.c.Begin()
	meanwhile()
	var theirs net.Conn
	h.wire, theirs = net.Pipe()
	t.Cleanup(func() { h.wire.Close(); theirs.Close() })
	go func() { _ = trail.Send(h.wire) }()
	go func() { h.done <- h.heir.c.Follow(bufio.NewReader(theirs), func() { close(h.caught) }) }()
	<-h.caught
	return h
}

func holding(t *testing.T, paths ...string) *stage {
	t.Helper()
	s := newStage(t, Options{File: filepath.Join(t.TempDir(), "cache"), Log: slog.New(slog.DiscardHandler)})
	s.answers(kept)
	s.c.Begin()
	for _, path := range paths {
		s.get(path)
	}
	return s
}

func TestAnHeirHasWhatWasHeldAndHasNotChangedSince(t *testing.T) {
	old := holding(t, "/stays", "/purged", "/posted", "/anew", "/later", "/soft")
	order := func(o Order) {
		if _, err := old.c.Order(t.Context(), &o); err != nil {
			t.Fatal(err)
		}
	}
	h := hands(t, old, func() {
		order(Order{URL: "http://example.org/purged"})
		order(Order{URL: "http://example.org/soft", Soft: true})
		old.do("POST", "/posted")
		old.get("/anew", "Cache-Control: no-cache")
	})
	h.heir.finds(t, "/stays", "; hit")
	h.heir.finds(t, "/purged", "fwd=uri-miss")
	h.heir.finds(t, "/soft", "fwd=stale")
	h.heir.finds(t, "/posted", "fwd=uri-miss")
	h.heir.finds(t, "/anew", "fwd=uri-miss")
	h.heir.finds(t, "/later", "; hit")

	old.do("POST", "/later") // while it drains
	order(Order{Tags: []string{"t"}})
	h.trail.End()
	if err := <-h.done; err != nil {
		t.Error(err)
	}
	h.heir.finds(t, "/later", "fwd=uri-miss")
	h.heir.finds(t, "/stays", "fwd=uri-miss")
}

func TestATrailThatBreaksOffLeavesNothing(t *testing.T) {
	h := hands(t, holding(t, "/x"), func() {})
	h.heir.finds(t, "/x", "; hit")
	h.wire.Close()
	if err := <-h.done; err == nil {
		t.Error("it is no mistake")
	}
	h.heir.finds(t, "/x", "fwd=uri-miss")
}

func TestMoreChangesThanCanBeToldAreAll(t *testing.T) {
	h := hands(t, holding(t, "/x"), func() {})
	h.heir.finds(t, "/x", "; hit")
	h.trail.mu.Lock() // nobody is told meanwhile
	h.trail.wait = append(h.trail.wait, make([]byte, trailBound)...)
	h.trail.mu.Unlock()
	h.old.do("POST", "/other")
	h.trail.End()
	if err := <-h.done; err != nil {
		t.Error(err)
	}
	h.heir.finds(t, "/x", "fwd=uri-miss")
}

func TestAStartWithoutUsDoesNotFindTheCopy(t *testing.T) {
	old := holding(t, "/x")
	trail, err := old.c.HandOn()
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, Options{File: old.c.opt.File, Log: slog.New(slog.DiscardHandler)})
	s.answers(kept)
	s.finds(t, "/x", "fwd=uri-miss")
	trail.End()
	h := newStage(t, Options{File: old.c.opt.File, Heir: true, Log: slog.New(slog.DiscardHandler)})
	h.answers(kept)
	h.finds(t, "/x", "fwd=uri-miss")
}

// A flag with a slip in it may name anything.
func TestACopyIsNotMadeInPlaceOfSomethingElse(t *testing.T) {
	old := holding(t, "/x")
	mine := filepath.Join(old.c.heirs(), "mine")
	if err := os.MkdirAll(mine, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := old.c.HandOn(); err == nil {
		t.Error("it was made")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
	old.do("POST", "/x") // is noted for nobody
	if old.c.trail.Load() != nil {
		t.Error("there is a trail")
	}
}

// What changes while the copy is made is not in it, or told.
func TestWhatChangesWhileItIsCopiedIsKnown(t *testing.T) {
	old := holding(t)
	path := func(i int) string { return fmt.Sprintf("/%d", i) }
	const n = 2000
	for i := range n {
		old.get(path(i))
	}
	var busy sync.WaitGroup
	begun := make(chan struct{})
	busy.Go(func() {
		for i := 0; i < n; i += 2 {
			if i == n/10 {
				close(begun)
			}
			old.c.dropOne(old.c.Key(false, []byte("example.org"), []byte(path(i))))
		}
	})
	<-begun
	h := hands(t, old, busy.Wait)
	hits := 0
	for i := range n {
		_, got := h.heir.get(path(i))
		switch hit := strings.Contains(got, "; hit"); {
		case hit && i%2 == 0:
			t.Errorf("%s was dropped and is there", path(i))
		case hit:
			hits++
		}
	}
	if hits != n/2 {
		t.Errorf("%d of %d are there", hits, n/2)
	}
}
