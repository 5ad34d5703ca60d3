package pool

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// checked asks for path every 20 ms.
func checked(path string) func(*Options) {
	return func(o *Options) {
		o.Check = Check{Path: path, Interval: 20 * time.Millisecond, Timeout: patience, Rise: 3, Fall: 2}
	}
}

func TestCheckGoesByTheStatus(t *testing.T) {
	for path, well := range map[string]bool{
		"/": true, "/check-204": true, "/check-302": true, "/check-404": false, "/check-500": false, "/check-503": false,
		"/interim": true, "/cut-close": true, "/garbage": false, "/close": false, "/reset": false, "/cut-head": false,
	} {
		t.Run(path, func(t *testing.T) {
			o := newOrigin(t)
			p := newPool(t, func(opt *Options) { opt.Check.Path, opt.Check.Timeout = path, patience })
			if err := set(p, o)[0].check(); (err == nil) != well {
				t.Errorf("%v", err)
			}
			if requests, conns := o.count(path); requests != 1 || conns != 1 {
				t.Errorf("%d requests on %d connections", requests, conns)
			}
		})
	}
}

func init() {
	for _, s := range []int{204, 302, 404, 500, 503} {
		answers[fmt.Sprint("check-", s)] = fmt.Sprintf("HTTP/1.1 %d Whatever\r\nContent-Length: 0\r\n\r\n", s)
	}
}

func TestCheckWithoutAPathOnlyConnects(t *testing.T) {
	o := newOrigin(t)
	p := newPool(t, nil)
	u := set(p, o)[0]
	if err := u.check(); err != nil {
		t.Error(err)
	}
	o.stop()
	if err := u.check(); err == nil {
		t.Error("well though it takes no connections")
	}
	if u.Load() != 0 || u.Stats.Picked.Load() != 0 || u.Stats.Dialed.Load() != 0 || u.Down() {
		t.Error("one check alone has left traces")
	}
}

func TestChecksPutOutAndBackAgain(t *testing.T) {
	for _, path := range []string{"", "/check"} {
		t.Run(path, func(t *testing.T) {
			p := newPool(t, checked(path))
			o := newOrigin(t)
			ups := set(p, o, newOrigin(t))
			o.stop()
			await(t, "it to be out", ups[0].Down)
			if u := p.Pick(0, new(Tried)); u != ups[1] {
				t.Error("it was picked")
			}
			o.start()
			await(t, "it to be in", func() bool { return !ups[0].Down() })
			if ups[1].Down() {
				t.Error("the other is out")
			}
		})
	}
}

// The checks of one upstream come one after the other, so at each it is known
// what was made of those before.
func TestRiseAndFallCountChecksInARow(t *testing.T) {
	const (
		checks = "+++-+-+--" + "++-++-+++" + "-+-+--" + "------+++" + "+"
		wanted = "+++++++++" + "---------" + "++++++" + "---------" + "+" // before each of them
	)
	var u atomic.Pointer[Upstream]
	believed := make(chan byte, 1000)
	n := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "GET" || r.URL.Path != "/health" || r.Host != "app.test" || r.UserAgent() == "" {
			t.Errorf("%s %s of %s by %q", r.Method, r.URL, r.Host, r.UserAgent())
		}
		belief := byte('+')
		if u := u.Load(); u != nil && u.failing.Load() {
			belief = '-'
		}
		believed <- belief
		if n < len(checks) && checks[n] == '-' {
			w.WriteHeader(503)
		}
		n++
	}))
	t.Cleanup(s.Close)
	p := newPool(t, func(o *Options) {
		o.Check = Check{Path: "/health", Interval: 2 * time.Millisecond, Timeout: patience, Rise: 3, Fall: 2}
	})
	p.Set([]Target{{Name: "a", Network: "tcp", Addr: s.Listener.Addr().String(), Host: "app.test", Weight: 1}})
	u.Store(p.Upstreams()[0])
	var got []byte
	for range wanted {
		got = append(got, <-believed)
	}
	if string(got) != wanted {
		t.Errorf("checks   %s\nbelieved %s\nwant     %s", checks, got, wanted)
	}
}

func TestChecksAreApartByTheIntervalGiveOrTakeAQuarter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, func(o *Options) {
			o.Connect, o.Check = 0, Check{Interval: 8 * time.Second, Timeout: time.Second, Rise: 1, Fall: 5}
		})
		p.Set(nowhere(1, nil))
		u := p.Upstreams()[0]
		began := time.Now()
		for !u.failing.Load() { // after five
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
		}
		if d := time.Since(began); d < 30*time.Second || d > 50*time.Second+100*time.Millisecond {
			t.Errorf("five checks took %v", d)
		}
	})
}

func TestCheckAsAWholeHasItsTime(t *testing.T) {
	for _, c := range []struct {
		what string
		path string
		tls  bool
	}{
		{"no answer", "/silence", false},
		{"no handshake", "/", true},
		{"no handshake where connecting is all", "", true},
	} {
		t.Run(c.what, func(t *testing.T) {
			p := newPool(t, func(o *Options) {
				o.Connect, o.Check = time.Minute, Check{Path: c.path, Timeout: 100 * time.Millisecond}
			})
			target := mute(t)
			target.TLS = c.tls
			p.Set([]Target{target})
			began := time.Now()
			err := p.Upstreams()[0].check()
			if d := time.Since(began); err == nil || d < 100*time.Millisecond || d > patience {
				t.Errorf("%v after %v", err, d)
			}
		})
	}
}

// mute takes connections and says nothing.
func mute(t *testing.T) Target {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return Target{Name: "mute", Network: "tcp", Addr: ln.Addr().String(), Host: "mute.test", Weight: 1}
}

func TestCloseDoesNotWaitForACheck(t *testing.T) {
	for _, path := range []string{"", "/"} {
		o := options(t)
		o.Check = Check{Path: path, Interval: time.Millisecond, Timeout: time.Minute, Rise: 1, Fall: 1}
		p := New(o)
		target := mute(t)
		target.TLS = path == ""
		p.Set([]Target{target})
		time.Sleep(50 * time.Millisecond) // the check is under way
		began := time.Now()
		p.Close()
		if d := time.Since(began); d > patience {
			t.Errorf("path %q: closed after %v", path, d)
		}
	}
}

func TestChecksEndWithMembership(t *testing.T) {
	o := newOrigin(t)
	p := newPool(t, checked("/"))
	set(p, o)
	await(t, "a check", func() bool { n, _ := o.count("/"); return n > 0 })
	p.Set(nil)
	await(t, "no more checks", func() bool { // but for one that is under way
		before, _ := o.count("/")
		time.Sleep(200 * time.Millisecond)
		after, _ := o.count("/")
		return after == before
	})
}

// Who fails checks is left out, unless that leaves nobody.
func TestWithAllFailingTheirChecksAllAreTried(t *testing.T) {
	p := newPool(t, checked("/check-500"))
	ups := set(p, newOrigin(t), newOrigin(t))
	await(t, "both to fail", func() bool { return ups[0].Down() && ups[1].Down() })
	if n := shares(p); min(n[ups[0].Name()], n[ups[1].Name()]) < 490 { // a check that ends meanwhile has them begin anew
		t.Error(n)
	}
}

func TestChecksThatGoWellEndAnEjection(t *testing.T) {
	p := newPool(t, func(o *Options) {
		o.MaxFails, o.EjectFor = 1, maxEject // far longer than patience
		o.Check = Check{Interval: 20 * time.Millisecond, Timeout: patience, Rise: 2, Fall: 2}
	})
	u := set(p, newOrigin(t), newOrigin(t))[0]
	u.judge(&Fault{Reason: Broken, Sent: true})
	if !u.Ejected() {
		t.Fatal("not ejected")
	}
	for end := time.Now().Add(patience); u.Down(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("still out")
		}
	}
	if u.judge(&Fault{Reason: Broken, Sent: true}); !u.Ejected() {
		t.Error("not on probation")
	}
}
