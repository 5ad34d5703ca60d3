package pool

import (
	"net"
	"testing"
	"time"

	"multiserver/proxy/wire"
)

func TestKeptConnectionsAreAStackWithABound(t *testing.T) {
	p := newPool(t, func(o *Options) { o.MaxIdle = 3 })
	o := newOrigin(t)
	u := set(p, o)[0]
	links := map[string]*Link{}
	for range 5 {
		l, id, f := begin(u, get("/"))
		if f != nil {
			t.Fatal(f)
		}
		links[id] = l
	}
	for _, id := range []string{"2", "4", "1", "5", "3"} {
		links[id].Keep()
	}
	if n := u.Idle(); n != 3 {
		t.Errorf("%d kept, want 3", n)
	}
	for _, want := range []string{"1", "4", "2", "6"} { // 5 and 3 found no room
		l, id, f := begin(u, get("/"))
		if f != nil || id != want {
			t.Errorf("connection %s, %v, want %s", id, f, want)
		}
		defer l.Drop()
	}
}

func TestConnectionsAreUsedOnlySoLong(t *testing.T) {
	const age = 2 * wire.Tick
	past := func(p *Pool, at int64, d time.Duration) func() bool {
		return func() bool { return p.opt().Guard.Now()-at > d.Milliseconds() }
	}
	t.Run("idle", func(t *testing.T) {
		p := newPool(t, func(o *Options) { o.IdleAge = age })
		u := set(p, newOrigin(t))[0]
		ask(t, u, get("/"))
		await(t, "time", past(p, p.opt().Guard.Now(), age))
		if id := ask(t, u, get("/")); id != "2" {
			t.Errorf("connection %s", id)
		}
	})
	t.Run("at all", func(t *testing.T) {
		p := newPool(t, func(o *Options) { o.MaxAge = age })
		u := set(p, newOrigin(t))[0]
		born := p.opt().Guard.Now()
		for !past(p, born, age+2*wire.Tick)() {
			ask(t, u, get("/")) // is never idle for long
		}
		if n := u.Stats.Dialed.Load(); n < 2 {
			t.Errorf("%d connections", n)
		}
	})
}

func TestReaperClosesWhatThePeerClosed(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	u := set(p, o)[0]
	ask(t, u, get("/"))
	o.hangUp()
	await(t, "the reaper", func() bool { return u.Idle() == 0 })
	if id := ask(t, u, get("/")); id != "2" {
		t.Errorf("connection %s", id)
	}
}

func TestReaperClosesWhatIsTooOld(t *testing.T) {
	p := newPool(t, func(o *Options) { o.IdleAge = wire.Tick })
	u := set(p, newOrigin(t))[0]
	ask(t, u, get("/"))
	await(t, "the reaper", func() bool { return u.Idle() == 0 })
}

// None of several dead connections costs a request that may not be repeated.
func TestDeadConnectionsCostNothing(t *testing.T) {
	for name, die := range map[string]func(*origin){
		"closed":      (*origin).hangUp,
		"said a word": func(o *origin) { o.say("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n") },
		"said a word and closed": func(o *origin) {
			o.say("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
			o.hangUp()
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPool(t, nil)
			o := newOrigin(t)
			u := set(p, o)[0]
			var links []*Link
			for range 3 {
				l, _, f := begin(u, get("/"))
				if f != nil {
					t.Fatal(f)
				}
				links = append(links, l)
			}
			die(o)
			for _, l := range links {
				await(t, "the end to arrive", func() bool { return !l.Silent() })
				l.Keep()
			}
			if id := ask(t, u, post("/post")); id != "4" {
				t.Errorf("answered %q", id)
			}
			if n, _ := o.count("/post"); n != 1 {
				t.Errorf("%d POSTs arrived", n)
			}
			if n := u.Stats.Faults[Stale].Load(); n != 3 {
				t.Errorf("%d counted as stale", n)
			}
		})
	}
}

// Open is for requests that cannot be sent twice at all.
func TestOpenGivesALiveConnection(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	u := set(p, o)[0]
	l, _, f := begin(u, get("/"))
	if f != nil {
		t.Fatal(f)
	}
	o.hangUp()
	await(t, "the end to arrive", l.Left)
	l.Keep()
	l, f = u.Open(nil)
	if f != nil {
		t.Fatal(f)
	}
	defer l.Drop()
	var res wire.Response
	if err := l.Write([]byte(post("/")), nil); err != nil {
		t.Fatal(err)
	}
	if f := l.Answer(&res, patience); f != nil || res.Status != 200 {
		t.Errorf("%v, status %d", f, res.Status)
	}
}

func TestBytesBehindAnAnswerAreNobodys(t *testing.T) {
	p := newPool(t, nil)
	u := set(p, newOrigin(t))[0]
	if body := ask(t, u, get("/surplus")); body != "x" {
		t.Errorf("answered %q", body)
	}
	for range 3 {
		if body := ask(t, u, get("/")); body != "2" {
			t.Errorf("answered %q", body)
		}
	}
}

// What is closed instead of answered is asked once more if that is safe, on a
// connection that was not kept.
func TestClosedInsteadOfAnswered(t *testing.T) {
	f := func(r raw, target string, requests int, reason Reason) {
		t.Helper()
		p := newPool(t, nil)
		o := newOrigin(t)
		u := set(p, o)[0]
		for range 2 {
			ask(t, u, get("/"))
		}
		_, f := try(u, r)
		if f == nil || f.Reason != reason || !f.Sent {
			t.Errorf("%q: %v", r, f)
		}
		if n, conns := o.count(target); n != requests || conns != requests {
			t.Errorf("%q: sent %d times on %d connections, want %d", r, n, conns, requests)
		}
	}
	f(get("/close"), "/close", 2, Broken)
	f(get("/reset"), "/reset", 2, Broken)
	f(post("/close"), "/close", 1, Broken)
	f(post("/reset"), "/reset", 1, Broken)
	f(get("/garbage"), "/garbage", 1, BadAnswer)
	f(get("/cut-line"), "/cut-line", 1, Broken)
	f(get("/cut-head"), "/cut-head", 1, Broken)
}

func TestFaults(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	u := set(p, o)[0]
	f := func(r raw, reason Reason, status int, sent bool) {
		t.Helper()
		_, f := try(u, r)
		if f == nil || f.Reason != reason || f.Status() != status || f.Sent != sent || f.Side != Peer {
			t.Errorf("%q: %+v, want %v, %d", r, f, reason, status)
		}
	}
	f(get("/close"), Broken, 502, true)
	f(get("/garbage"), BadAnswer, 502, true)
	f(get("/two"), BadAnswer, 502, true)
	f(get("/long"), BadAnswer, 502, true)
	f(get("/cut-head"), Broken, 502, true)
	u = set(newPool(t, func(o *Options) { o.Response = wire.Tick }), o)[0]
	f(get("/silence"), AnswerTime, 504, true)
	o.stop()
	f(get("/"), Refused, 503, false)
	p.Set([]Target{{Name: "unix", Network: "unix", Addr: t.TempDir() + "/none", Weight: 1}})
	u = p.Upstreams()[0]
	f(get("/"), Refused, 503, false)

	hasty := newPool(t, func(o *Options) { o.Connect = 1 })
	u = set(hasty, newOrigin(t))[0]
	f(get("/"), ConnectTime, 504, false)
}

func TestInterimAnswersComeOneByOne(t *testing.T) {
	p := newPool(t, nil)
	u := set(p, newOrigin(t))[0]
	var res wire.Response
	l, f := u.Ask(nil, get("/interim"), true, &res)
	if f != nil || res.Status != 103 || string(res.Peek("link")) != "</x>" {
		t.Fatalf("%v, status %d", f, res.Status)
	}
	defer l.Drop()
	if f := l.Answer(&res, patience); f != nil || res.Status != 200 || res.Length != 2 {
		t.Errorf("%v, status %d", f, res.Status)
	}
}

func TestUnixUpstream(t *testing.T) {
	p := newPool(t, nil)
	o := newOrigin(t)
	path := t.TempDir() + "/s"
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	o.group.Go(func() {
		for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
			o.group.Go(func() { o.serve(nc, 7) })
		}
	})
	p.Set([]Target{{Name: "unix:" + path, Network: "unix", Addr: path, Weight: 1}})
	u := p.Upstreams()[0]
	for range 2 {
		if body := ask(t, u, post("/")); body != "7" {
			t.Errorf("answered %q", body)
		}
	}
	if u.Idle() != 1 {
		t.Errorf("%d kept", u.Idle())
	}
	p.Set(nil) // so that the origin sees it end
}

func TestCloseClosesWhatIsKeptNowAndLater(t *testing.T) {
	p := New(options(t))
	o, down := newOrigin(t), newOrigin(t)
	ups := set(p, o, down)
	down.stop()
	ups[1].Done(fault(ups[1]), 0) // somebody goes on trying it
	ask(t, ups[0], get("/"))
	busy, _, f := begin(ups[0], get("/"))
	if f != nil {
		t.Fatal(f)
	}
	ask(t, ups[0], get("/"))
	p.Close()
	if n := ups[0].Idle(); n != 0 {
		t.Errorf("%d kept", n)
	}
	busy.Keep()
	if n := ups[0].Idle(); n != 0 {
		t.Errorf("%d kept by an exchange that ended later", n)
	}
	ups[0].Done(&Fault{Reason: Refused}, 0) // too late to try it again
}
