package pool

import (
	"io"
	"testing"
	"time"

	"multiserver/proxy/wire"
)

// mover is a request that may go elsewhere, or not; it says when it is asked.
type mover struct {
	raw
	may   bool
	asked chan struct{}
}

func (m mover) MayMove() bool {
	m.asked <- struct{}{}
	return m.may
}

func moving(may bool) mover { return mover{get("/silence"), may, make(chan struct{}, 10)} }

// hangOn asks u for what it will not answer.
func hangOn(u *Upstream, r Request, twice bool) chan *Fault {
	ended := make(chan *Fault, 1)
	go func() {
		var res wire.Response
		l, f := u.Ask(nil, r, twice, &res)
		if f == nil {
			l.Drop()
		}
		ended <- f
	}()
	return ended
}

func TestWhoWaitsAtOneThatHangsMayGo(t *testing.T) {
	for _, alone := range []bool{false, true} {
		p := newPool(t, checked("/silence"))
		p.opt().Check.Timeout = 50 * time.Millisecond
		hanging, well := newOrigin(t), newOrigin(t)
		targets := []*origin{hanging}
		if !alone {
			targets = append(targets, well)
		}
		ups := set(p, targets...)
		if !alone {
			ups[1].retired.Store(true) // no checks: it is well
		}
		goes, stays, post := moving(true), moving(false), moving(true)
		went, stayed, posted := hangOn(ups[0], goes, true), hangOn(ups[0], stays, true), hangOn(ups[0], post, false)
		await(t, "it to be out", ups[0].Down)
		if alone {
			nothing(t, 6*50*time.Millisecond, went, stayed, posted)
			continue
		}
		select {
		case f := <-went:
			if f == nil || f.Reason != Hung || !f.Sent || f.Side != Peer || f.Status() != 504 {
				t.Errorf("%v", f)
			}
		case <-time.After(patience / 2):
			t.Fatal("it waits on")
		}
		<-stays.asked
		nothing(t, 6*50*time.Millisecond, stayed, posted)
		if n := len(stays.asked) + len(post.asked); n != 0 {
			t.Errorf("asked %d times more than once, and of a POST never", n)
		}
		hanging.say("HTTP/1.1 204 No Content\r\n\r\n")
		if f := <-stayed; f != nil {
			t.Errorf("who stayed got %v instead of the answer", f)
		}
		if f := <-posted; f != nil {
			t.Errorf("the POST got %v instead of the answer", f)
		}
	}
}

// nothing fails the test if anything arrives.
func nothing(t *testing.T, within time.Duration, ends ...chan *Fault) {
	t.Helper()
	time.Sleep(within)
	for i, c := range ends {
		select {
		case f := <-c:
			t.Errorf("%d ended with %v", i, f)
		default:
		}
	}
}

// One that stops refuses its checks, or answers them so, and yet answers whom
// it has.
func TestWhoWaitsAtOneThatOnlyFailsItsChecksStays(t *testing.T) {
	for _, path := range []string{"/check-503", "/reset"} {
		p := newPool(t, checked(path))
		failing, well := newOrigin(t), newOrigin(t)
		ups := set(p, failing, well)
		ups[1].retired.Store(true)
		waits := hangOn(ups[0], moving(true), true)
		await(t, "it to be out", ups[0].Down)
		nothing(t, 300*time.Millisecond, waits)
	}
}

// What puts one out tells whether it hangs.
func TestWhoWaitsAtOneThatIsEjected(t *testing.T) {
	for reason, goes := range map[Reason]bool{AnswerTime: true, Broken: false, BadStatus: false} {
		p := newPool(t, func(o *Options) { o.MaxFails, o.EjectFor = 2, patience })
		here := newOrigin(t)
		ups := set(p, here, newOrigin(t))
		waits := hangOn(ups[0], moving(true), true)
		await(t, "the request to be there", func() bool { n, _ := here.count("/silence"); return n > 0 })
		for range 2 {
			ups[0].judge(&Fault{Reason: reason})
		}
		if !ups[0].Ejected() {
			t.Fatal("still in")
		}
		if !goes {
			nothing(t, 300*time.Millisecond, waits)
			continue
		}
		if f := <-waits; f == nil || f.Reason != Hung {
			t.Errorf("%v", f)
		}
		if ups[0].back("", &ups[0].ejected); ups[0].hung.Load() {
			t.Error("it still counts as hanging when it is back")
		}
	}
}

func TestOneThatHangsBringsItsOwnRetries(t *testing.T) {
	bubble(t, nil, func(p *Pool) {
		p.Set(nowhere(4, nil))
		ups := p.Upstreams()
		hang := func(u *Upstream, load int) {
			u.load.Add(int64(load))
			u.fall(io.EOF)
			u.load.Add(-int64(load))
		}
		moves := func() (n int) {
			for n < 1<<20 && p.budget.move(p.opt().Guard.Now()) {
				n++
			}
			return n
		}
		if hang(ups[3], 7); moves() != 0 {
			t.Error("one that does not hang has brought some")
		}
		stall := func(u *Upstream, load int) {
			u.load.Add(int64(load))
			u.eject(&Fault{Reason: AnswerTime})
			u.load.Add(-int64(load))
		}
		p.opt().EjectFor = time.Hour
		if stall(ups[0], 300); moves() != 300 {
			t.Error("not as many as were under way")
		}
		if stall(ups[1], 300); moves() != 0 {
			t.Error("a second one has brought more")
		}
		if n := retries(p); n != budgetFree {
			t.Errorf("%d others, want %d", n, budgetFree)
		}
		if p.MayMove() {
			t.Error("more than both")
		}
		ups[0].back("", &ups[0].ejected)
		ups[1].back("", &ups[1].ejected)
		time.Sleep(window)
		stall(ups[0], 5)
		time.Sleep(window)
		if moves() != 0 {
			t.Error("they are still there in the next window")
		}
	})
}
