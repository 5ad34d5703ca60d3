package pool

import (
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/proxy/wire"
)

// gate is a Gate with a Queue, for a test in a bubble.
func gate(places, waiting int, within time.Duration) *Gate {
	return NewGate(places, NewQueue(waiting, within))
}

// enter enters in a goroutine; what comes of it arrives in the channel.
func enter(g *Gate) chan error {
	done := make(chan error, 1)
	go func() { done <- g.Enter(nil) }()
	synctest.Wait()
	return done
}

// still tells that nothing has come of it yet.
func still(done chan error) bool { return len(done) == 0 }

func TestGateServesInTheOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(1, 100, 0)
		g.Enter(nil)
		var order []int // of who is in
		for i := range 100 {
			go func() {
				if err := g.Enter(nil); err != nil {
					t.Error(err)
				}
				order = append(order, i)
				g.Leave()
			}()
			synctest.Wait()
		}
		if n := g.Waiting(); n != 100 || !g.Busy() {
			t.Errorf("%d wait", n)
		}
		g.Leave()
		synctest.Wait()
		if len(order) != 100 || !slices.IsSorted(order) {
			t.Error(order)
		}
		if g.In() != 0 || g.Waiting() != 0 || g.Busy() {
			t.Errorf("%d in, %d waiting in the end", g.In(), g.Waiting())
		}
	})
}

func TestGateRefusesAtOnceWhenTheLineIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(1, 2, time.Minute)
		g.Enter(nil)
		first, second := enter(g), enter(g)
		if err := g.Enter(nil); err != ErrFull {
			t.Errorf("the third: %v", err)
		}
		g.Leave()
		synctest.Wait()
		if still(first) || !still(second) {
			t.Fatal("one place given back, and not the first and nobody else has it")
		}
		third := enter(g) // there is room in the line again
		for _, done := range []chan error{second, third} {
			g.Leave()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := g.Stats.Full.Load(); n != 1 {
			t.Errorf("%d counted as refused", n)
		}
		if n := g.Stats.Waited.Load(); n != 3 {
			t.Errorf("%d counted as having waited", n)
		}
		g.Leave()
	})
}

func TestGateWithoutALineRefusesWhenFull(t *testing.T) {
	g := gate(1, 0, time.Minute)
	if err := g.Enter(nil); err != nil {
		t.Fatal(err)
	}
	if err := g.Enter(nil); err != ErrFull {
		t.Error(err)
	}
	g.Leave()
	if err := g.Enter(nil); err != nil {
		t.Error(err)
	}
}

func TestGateOfNoneLetsEverybodyIn(t *testing.T) {
	g := NewGate(0, NewQueue(1, 0))
	if err := g.Enter(nil); g != nil || err != nil || g.In() != 0 {
		t.Error(g, err)
	}
	g.Leave()
}

func TestWaitEndsAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(1, 10, 5*time.Second)
		g.Enter(nil)
		began := time.Now()
		first := enter(g)
		time.Sleep(2 * time.Second)
		second := enter(g)
		if err := <-first; err != ErrLate || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		g.Leave()
		if err := <-second; err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("who came later: %v after %v", err, time.Since(began))
		}
		if n := g.Stats.Late.Load(); n != 1 {
			t.Errorf("%d counted as late", n)
		}
		g.Leave()
	})
}

func TestWaitWithoutALimitGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(1, 10, 0)
		g.Enter(nil)
		done := enter(g)
		time.Sleep(24 * time.Hour)
		if !still(done) {
			t.Fatal(<-done)
		}
		g.Leave()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// One who gives up may have been woken for a place that he leaves unused.
func TestPlaceGivenBackToOneWhoGivesUpGoesToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 { // which of the two ends the wait is chance
			g := gate(1, 10, time.Second)
			g.Enter(nil)
			first := enter(g)
			time.Sleep(time.Millisecond)
			second := enter(g)
			time.Sleep(999*time.Millisecond - 1)
			go func() { time.Sleep(1); g.Leave() }() // the moment that first is late
			in := 0
			if <-first == nil {
				in++
				g.Leave()
			}
			if err := <-second; err != nil {
				t.Fatalf("%d was in before: %v", in, err)
			}
			g.Leave()
		}
	})
}

func TestWaitEndsWhenTheClientLeaves(t *testing.T) {
	guard := wire.NewGuard()
	defer guard.Close()
	here, there := tcpPair(t)
	client := wire.NewConn(here, guard, wire.SmallBuffer)
	defer client.Close()
	g := gate(1, 10, patience)
	g.Enter(nil)
	gone, stays := make(chan error), make(chan error)
	go func() { gone <- g.Enter(client) }()
	await(t, "the client to wait", g.Busy)
	go func() { stays <- g.Enter(nil) }()
	await(t, "another to wait", func() bool { return g.Waiting() == 2 })
	there.Close()
	if err := <-gone; err != wire.ErrGone {
		t.Error(err)
	}
	g.Leave()
	if err := <-stays; err != nil {
		t.Errorf("who was behind: %v", err)
	}
	if n := g.Stats.Gone.Load(); n != 1 {
		t.Errorf("%d counted as gone", n)
	}
}

// tcpPair is the two ends of a connection.
func tcpPair(t *testing.T) (here, there net.Conn) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	there, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// A place that is lost, or a wake-up, would leave somebody waiting for good.
func TestNobodyIsForgottenAtTheGate(t *testing.T) {
	for _, places := range []int64{1, 3, 7} {
		g := gate(int(places), 1000, 0)
		var in, most atomic.Int64
		var group sync.WaitGroup
		for range 32 {
			group.Go(func() {
				for range 500 {
					if err := g.Enter(nil); err != nil {
						t.Error(err)
						return
					}
					n := in.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					if rand.N(64) == 0 {
						time.Sleep(time.Microsecond)
					}
					in.Add(-1)
					g.Leave()
				}
			})
		}
		finish(t, &group)
		if most.Load() > places || g.In() != 0 || g.Waiting() != 0 {
			t.Errorf("%d in at once, of %d; %d in, %d waiting in the end", most.Load(), places, g.In(), g.Waiting())
		}
	}
}

// The same with impatience: most waits end by their time, and none by being
// forgotten.
func TestNobodyIsForgottenWhileOthersGiveUp(t *testing.T) {
	g := gate(2, 8, time.Millisecond)
	var served, late, full atomic.Int64
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for range 100 {
				switch err := g.Enter(nil); err {
				case nil:
					served.Add(1)
					time.Sleep(rand.N(time.Millisecond))
					g.Leave()
				case ErrLate:
					late.Add(1)
				case ErrFull:
					full.Add(1)
					time.Sleep(time.Millisecond)
				default:
					t.Error(err)
				}
			}
		})
	}
	finish(t, &group)
	if n := served.Load() + late.Load() + full.Load(); n != 3200 || g.In() != 0 || g.Waiting() != 0 {
		t.Errorf("%d of 3200 have an end; %d in, %d waiting", n, g.In(), g.Waiting())
	}
	if uint64(late.Load()) != g.Stats.Late.Load() || uint64(full.Load()) != g.Stats.Full.Load() {
		t.Errorf("%d late, %d refused; counted %d and %d", late.Load(), full.Load(), g.Stats.Late.Load(), g.Stats.Full.Load())
	}
	if served.Load() == 0 || late.Load()+full.Load() == 0 {
		t.Error("that was no test: too little has happened")
	}
}

// finish waits for all, but not forever.
func finish(t *testing.T, group *sync.WaitGroup) {
	t.Helper()
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("somebody waits forever")
	}
}

func TestPlacesGivenBackTogetherAreAllTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(5, 100, 0)
		for range 5 {
			g.Enter(nil)
		}
		var waiting []chan error
		for range 10 {
			waiting = append(waiting, enter(g))
		}
		for range 5 { // before anybody can have looked
			g.Leave()
		}
		synctest.Wait()
		for i, done := range waiting {
			if still(done) != (i >= 5) {
				t.Errorf("5 places were given back; number %d of the line is still waiting: %v", i, still(done))
			}
		}
		for range 10 {
			g.Leave()
			synctest.Wait()
		}
	})
}

func TestWhoIsNotFirstDoesNotTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(10, 0)
		open, tries := false, 0
		go q.Wait(nil, func() bool { return open })
		synctest.Wait()
		go q.Wait(nil, func() bool { tries++; return true })
		synctest.Wait()
		q.Wake()
		synctest.Wait()
		if tries != 0 {
			t.Errorf("%d tries before its turn", tries)
		}
		open = true
		q.Wake()
		synctest.Wait()
		if tries != 1 || q.Busy() {
			t.Errorf("%d tries, and somebody waits: %v", tries, q.Busy())
		}
	})
}

// A try may run code that is not ours.
func TestQueueOutlivesATryThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewQueue(10, 0)
		func() {
			defer func() { recover() }()
			q.Wait(nil, func() bool { panic("a picker's bug") })
		}()
		if err := q.Wait(nil, func() bool { return true }); err != nil || q.Busy() {
			t.Errorf("%v, and somebody waits: %v", err, q.Busy())
		}
	})
}

func TestQueueFaultSaysWhoseAndWhy(t *testing.T) {
	for err, want := range map[error]struct {
		Side
		Reason
		status int
	}{
		ErrFull:      {Self, QueueFull, 503},
		ErrLate:      {Self, QueueLate, 503},
		wire.ErrGone: {Client, Left, 502},
	} {
		f := QueueFault(err)
		if f.Side != want.Side || f.Reason != want.Reason || f.Status() != want.status || f.Sent || !errors.Is(f, err) {
			t.Errorf("%v: %+v, %d", err, f, f.Status())
		}
	}
}
