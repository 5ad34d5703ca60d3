package pipe

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/proxy/wire"
)

// stuck is an upstream whose first connection answers the first of n requests
// once it is told to.
func stuck(t *testing.T, n int) (s *stage, tell chan struct{}) {
	tell = make(chan struct{})
	first := make(chan struct{}, 1)
	first <- struct{}{}
	return newStage(t, n, func(in *bufio.Reader, nc net.Conn) {
		select {
		case <-first:
			u := target(in)
			<-tell
			io.WriteString(nc, answer(u))
		default:
		}
		echo(in, nc)
	}), tell
}

func TestWhoIsBehindASlowAnswerMayLeave(t *testing.T) {
	s, tell := stuck(t, 8)
	seats := s.asks(3)
	for _, seat := range seats[1:] {
		if b := seat.body(); b != ErrBlocked.Error() {
			t.Errorf("behind it: %q", b)
		}
	}
	other := s.ask("/other")
	if b := other.body(); b != "/other" || other.conn == seats[0].conn {
		t.Errorf("%q, behind it %t", b, other.conn == seats[0].conn)
	}
	seats[1].Close() // leaves
	close(tell)
	if b := seats[0].body(); b != "/0" {
		t.Errorf("the slow one: %q", b)
	}
	if b := seats[2].body(); b != "/2" {
		t.Errorf("who stayed: %q", b)
	}
	s.await("the connection to end", func() bool { return len(*s.list.Load()) == 1 })
}

// If all stay the connection goes on.
func TestAConnectionOutlivesASlowAnswer(t *testing.T) {
	s, tell := stuck(t, 8)
	seats := s.asks(2)
	if b := seats[1].body(); b != ErrBlocked.Error() {
		t.Errorf("%q", b)
	}
	close(tell)
	for i, want := range []string{"/0", "/1"} {
		if b := seats[i].body(); b != want {
			t.Errorf("%q, want %s", b, want)
		}
	}
	again := s.ask("/again")
	if b := again.body(); b != "/again" || again.conn != seats[0].conn {
		t.Errorf("%q, on another connection %t", b, again.conn != seats[0].conn)
	}
}

// A client that does not read its answer holds nobody up but itself.
func TestWhoIsBehindASlowClientMayLeave(t *testing.T) {
	long := strings.Repeat("x", 3<<20)
	leave := make(chan struct{})
	defer close(leave)
	s := newStage(t, 8, says(2, answer(long)+answer("next"), leave))
	seats := s.asks(2)
	if b := seats[1].body(); b != ErrBlocked.Error() {
		t.Errorf("behind it: %q", b)
	}
	other := s.Seat()
	if _, err := other.Take(); err != nil || other.conn == seats[0].conn {
		t.Errorf("%v, put behind it %t", err, err == nil)
	}
	other.Close()
	if b := seats[0].body(); b != long {
		t.Errorf("%d bytes", len(b))
	}
	if b := seats[1].body(); b != "next" {
		t.Errorf("who stayed: %q", b)
	}
}

// What comes for one who has left is for nobody.
func TestAnswersOfThoseWhoLeftAreSkipped(t *testing.T) {
	leave, go_ := make(chan struct{}), make(chan struct{})
	defer close(leave)
	s := newStage(t, 8, func(in *bufio.Reader, nc net.Conn) {
		for range 4 {
			target(in)
		}
		<-go_
		io.WriteString(nc, answer("0")+answer(strings.Repeat("1", 50_000))+"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n"+answer("3"))
		echo(in, nc)
	})
	seats := s.asks(4)
	for _, i := range []int{0, 1, 2} {
		seats[i].Close()
	}
	close(go_)
	if b := seats[3].body(); b != "3" {
		t.Errorf("%q", b)
	}
	if again := s.ask("/again"); again.body() != "/again" || s.dialed() != 1 {
		t.Error("the connection is not used again")
	}
}

// What is endless nobody waits for.
func TestTooLongAnswersAreNotSkipped(t *testing.T) {
	leave := make(chan struct{})
	defer close(leave)
	s := newStage(t, 8, says(2, answer(strings.Repeat("x", 2*mostSkipped))+answer("1"), leave))
	seats := s.asks(2)
	seats[0].Close()
	if b := seats[1].body(); b != io.ErrUnexpectedEOF.Error() {
		t.Errorf("%q", b)
	}
}

// If all have left a connection whose answers do not come, it ends.
func TestAConnectionThatNobodyWaitsForEnds(t *testing.T) {
	s, tell := stuck(t, 8)
	defer close(tell)
	for _, seat := range s.asks(3) {
		seat.Close()
	}
	s.await("its end", func() bool { return len(*s.list.Load()) == 0 })
}

// An upstream that ends its connections behind each answer is asked most things
// twice; then nobody shares any more for a while.
func TestAnUpstreamThatEndsItsConnectionsIsAskedByNobody(t *testing.T) {
	s := newStage(t, 16, func(in *bufio.Reader, nc net.Conn) {
		target(in)
		io.WriteString(nc, strings.Replace(answer("x"), "OK", "OK\r\nConnection: close", 1))
		io.Copy(io.Discard, in)
	})
	var wg sync.WaitGroup
	for err := error(nil); s.debt.Load() < mostDebt; {
		seat := s.Seat()
		if err = seat.again("/"); err != nil && err != ErrFull && err != wire.ErrStale {
			t.Fatal(err)
		}
		if err == nil {
			wg.Go(func() {
				_ = seat.body()
				seat.Close()
			})
		}
	}
	wg.Wait()
	if err := s.Seat().again("/"); err != ErrFull {
		t.Errorf("asked again: %v", err)
	}
	for range 100 {
		s.Sweep(0, 0)
	}
	if s.debt.Load() != 0 {
		t.Errorf("a debt of %d is never forgotten", s.debt.Load())
	}
}

// Where answers are slow as a rule nobody is put behind another, until they are
// quick again.
func TestNobodyIsPutBehindAnotherWhereAnswersAreSlow(t *testing.T) {
	s := newStage(t, 8, echo)
	for range 20 {
		s.learn(10 * whole)
	}
	if s.depth() != 1 {
		t.Errorf("%d of 8 at once", s.depth())
	}
	for range 100 {
		s.learn(0)
	}
	if s.depth() != 8 {
		t.Errorf("%d of 8 at once", s.depth())
	}
}

func TestNobodyLooksWhereNobodyWaits(t *testing.T) {
	s, tell := stuck(t, 8)
	seat := s.ask("/0")
	for range 20 { // until the answer comes
		if !s.armed.Load() {
			t.Fatal("nobody looks")
		}
		s.look()
	}
	close(tell)
	_ = seat.body()
	s.await("the last look", func() bool { return !s.armed.Load() })
}

func TestConnectionsDoNotLastForEver(t *testing.T) {
	f := func(name string, idleAge, maxAge time.Duration, serve origin) {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 8, serve)
			seat := s.ask("/")
			_ = seat.body()
			s.await("its end", func() bool {
				s.Sweep(idleAge, maxAge)
				return s.Idle() == 0 && len(*s.list.Load()) == 0
			})
		})
	}
	f("idle", time.Millisecond, 0, echo)
	f("old", 0, time.Millisecond, echo)
	f("left by its peer", 0, 0, says(1, answer("x"), gone))
}

// Deadlines end a wait, or let it go on.
func TestDeadlines(t *testing.T) {
	s, tell := stuck(t, 8)
	seat := s.ask("/0")
	s.must(seat.SetDeadline(time.Unix(1, 0)))
	if _, err := seat.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "timeout") {
		t.Error(err)
	}
	s.must(seat.SetReadDeadline(time.Time{}))
	close(tell)
	if b := seat.body(); b != "/0" {
		t.Errorf("%q", b)
	}
}

// Who was to be told that it may leave, and then had its answer, is not told.
func TestNobodyLeavesWhoseAnswerComes(t *testing.T) {
	s, tell := stuck(t, 8)
	seats := s.asks(2)
	seats[1].block()
	close(tell)
	_ = seats[0].body()
	s.await("its answer", func() bool {
		seats[1].mu.Lock()
		defer seats[1].mu.Unlock()
		return seats[1].whole
	})
	for want := "HTTP"; want != ""; {
		b := make([]byte, 4) // many reads
		n, err := seats[1].Read(b)
		if want == "HTTP" && string(b[:n]) != want {
			t.Fatalf("%q, %v", b[:n], err)
		}
		if want = "more"; err == io.EOF {
			want = ""
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// What waits for room comes behind what has found some, also if its reader is
// just about to wake up.
func TestPiecesStayInOrder(t *testing.T) {
	s := newStage(t, 8, echo)
	seat := s.Seat()
	p := make([]byte, 10)
	seat.dst, seat.in = p, append(wire.AcquireBuffer(100)[:0], "1"...) // it was woken for the first
	seat.put([]byte("2"), false)
	if b := string(seat.in); b != "12" || seat.got != 0 {
		t.Errorf("%q, and %d given before it", b, seat.got)
	}
}

// A bug of ours costs a connection.
func TestAPanicEndsAConnection(t *testing.T) {
	var said bytes.Buffer
	s := newStage(t, 8, echo)
	s.opt.Log = slog.New(slog.NewTextHandler(&said, nil))
	c, _, err := s.reserve()
	s.must(err)
	c.mu.Lock()
	c.sent = 1 // of nobody
	c.news.Broadcast()
	c.mu.Unlock()
	_ = c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), nil)
	s.await("its end", func() bool { return len(*s.list.Load()) == 0 })
	if b := s.ask("/next").body(); b != "/next" || !strings.Contains(said.String(), "BUG: panic") {
		t.Errorf("%q, %s", b, &said)
	}
}

// A pause of all lines is none of theirs.
func TestLooksCountByWhetherOthersMove(t *testing.T) {
	f := func(busy int, moved bool, looks int) {
		t.Helper()
		c := &conn{set: &Conns{}, line: make([]*Seat, 3), n: 1, sent: 1}
		c.wanted.Store(1)
		c.progress()
		got := 0
		for c.seen.stuck = -whole; !c.held.Load(); got++ {
			c.wait(weight(busy, moved))
		}
		if got--; got != looks { // the first one begins to count
			t.Errorf("%d in use, moved %t: held after %d looks, want %d", busy, moved, got, looks)
		}
	}
	f(1, false, leastHeld)
	f(2, true, leastHeld)
	f(2, false, leastHeld*whole)
	f(9, false, leastHeld*whole)
}
