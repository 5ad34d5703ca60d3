package pool

import (
	"context"
	"fmt"
	"net"
	"time"

	"multiserver/proxy/wire"
)

// Check is how upstreams are asked whether they are well, apart from requests.
type Check struct {
	Path     string        // asked for by GET; 2xx and 3xx are well. "": taking a connection is
	Interval time.Duration // between two checks, give or take a quarter; 0: no checks
	Timeout  time.Duration // for a check as a whole
	Rise     int           // checks in a row that must go well to be taken for well again
	Fall     int           // checks in a row that must fail to be taken for ill
}

// watch begins to check u. Called with mu held.
func (p *Pool) watch(u *Upstream) {
	if p.opt().Check.Interval > 0 && !p.closed() {
		again := make(chan struct{}, 1)
		u.again = again
		p.wg.Go(func() { u.checks(again) })
	}
}

// unwatch ends u's checks if there are to be none: nobody would ever take back
// what they said.
func (u *Upstream) unwatch() bool {
	p := u.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opt().Check.Interval > 0 {
		return false
	}
	u.again = nil
	u.failing.Store(false)
	u.mute = u.mute && !u.well()
	p.rebuild()
	return true
}

// checks runs until u is no longer a member. An upstream is taken for well
// until checks say otherwise; and what requests have said against it meanwhile
// is over as soon as checks say well.
func (u *Upstream) checks(again <-chan struct{}) {
	p := u.pool
	good, bad := 0, 0 // checks in a row
	for !u.retired.Load() {
		c := p.opt().Check
		if c.Interval == 0 && u.unwatch() {
			return
		}
		t := time.NewTimer(jitter(c.Interval))
		select {
		case <-t.C:
		case <-again:
			t.Stop()
			good, bad = 0, 0
			continue
		case <-p.done:
			t.Stop()
			return
		}
		if u.retired.Load() {
			return
		}
		err := u.check()
		if err == nil {
			good, bad = good+1, 0
			u.back("upstream up", &u.down)
		} else {
			good, bad = 0, bad+1
		}
		switch {
		case good >= c.Rise:
			u.back("upstream passes its checks", &u.failing)
			u.back("upstream back", &u.ejected)
		case bad >= c.Fall:
			u.fall(err)
		}
	}
}

// fall takes u out of the choice until its checks go well. One that stops can
// refuse its checks and yet answer whom it has; one that gives them no answer
// hangs.
func (u *Upstream) fall(err error) {
	p := u.pool
	p.mu.Lock()
	fell, mute := u.failing.CompareAndSwap(false, true), u.mute
	u.mute = mute || late(err)
	if fell || u.mute != mute {
		p.rebuild()
	}
	p.mu.Unlock()
	if fell {
		p.opt().Log.Warn("upstream fails its checks", "upstream", u.Name(), "cause", err)
	}
}

// knock opens a connection to see whether that can be done, or a stream on one
// of its own.
func (u *Upstream) knock(within time.Duration) (net.Conn, error) {
	if u.h2 == nil {
		return u.connect(within)
	}
	ctx, cancel := u.pool.within(within)
	defer cancel()
	return u.h2.Alone(ctx)
}

// check asks once, on a connection of its own: what it wants to know is
// whether a new client would be served.
func (u *Upstream) check() error {
	o, began := u.pool.opt(), time.Now()
	nc, err := u.knock(o.Check.Timeout)
	if err != nil {
		return err
	}
	c := wire.NewConn(nc, o.Guard, wire.HeadBuffer)
	defer c.Close()
	defer context.AfterFunc(u.pool.ctx, c.Interrupt)()
	if o.Check.Path == "" {
		return nil
	}
	left := max(o.Check.Timeout-time.Since(began), time.Millisecond)
	c.ReadWithin(left)
	c.WriteWithin(left)
	if err := c.Write(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: multiserver-check\r\nConnection: close\r\n\r\n",
		o.Check.Path, u.Host()), nil); err != nil {
		return err
	}
	l := Link{Conn: c, u: u}
	var res wire.Response
	for {
		if err := l.parse(&res); err != nil {
			return err
		}
		if res.Status >= 200 {
			break
		}
		l.Unpin()
	}
	if res.Status >= 400 {
		return fmt.Errorf("GET %s: status %d", o.Check.Path, res.Status)
	}
	return nil
}
