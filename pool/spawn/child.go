package spawn

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"multiserver/pool"
)

// child is one process and all that it begins.
type child struct {
	app      *App
	slot     *slot
	instance int // the slot's number
	serial   uint64
	began    time.Time
	proc     *os.Process
	place    *place
	output   *output

	target  pool.Target    // where it was found; set before it enters
	entered bool           // guarded by app.door
	left    bool           // guarded by app.door: it must not enter any more
	up      *pool.Upstream // guarded by app.door; what the pool made of it

	told  atomic.Uint32 // 1 + the Cause for which it is to end; 0: nobody wants it to
	until atomic.Int64  // Unix nanoseconds: how long its group may stay behind it
	due   atomic.Bool   // it is beyond a limit, and somebody sees to it

	says string // what it answered instead of being ready

	exited chan struct{} // closed when the process has ended
	state  *os.ProcessState
	lived  time.Duration
	gone   chan struct{} // closed when nothing of it is left
	strays []int         // what it left behind
}

// reap waits for the end: by then the child has left the pool.
func (c *child) reap() {
	c.state, _ = c.proc.Wait() // it fails for none but those that are no children
	entered := c.app.leave(c)
	c.lived = time.Since(c.began).Round(time.Millisecond)
	close(c.exited)
	c.strays = c.bury()
	c.place.free()
	if c.told.CompareAndSwap(0, 1+uint32(Crash)) && entered {
		c.announce(Crashed, c.ended())
	}
	c.app.Stats.Ends[c.told.Load()-1].Add(1)
	c.app.guard.forget(c.pid())
	close(c.gone)
}

// bury ends what the process leaves behind: at once, or, if it was told to
// end, when all had their time. It returns those that had stayed.
func (c *child) bury() []int {
	for groupLives(c.pid()) && time.Now().UnixNano() < c.until.Load() {
		time.Sleep(5 * time.Millisecond)
	}
	left := group(c.pid())
	killGroup(c.pid())
	left = append(left, sweep(c.mark())...)
	c.output.close()
	return left
}

// stop ends c in good order for a cause: it leaves the pool, its requests end,
// it is told, it has its time, it is killed. It returns when nothing is left.
func (c *child) stop(why Cause) {
	c.app.leave(c)
	if !c.told.CompareAndSwap(0, 1+uint32(why)) {
		<-c.gone
		return
	}
	c.drain()
	c.end()
	c.announce(Stop, why.String())
}

// finish ends a child that nobody was sent to.
func (c *child) finish(why Cause) {
	if c.told.CompareAndSwap(0, 1+uint32(why)) {
		c.end()
	}
	<-c.gone
}

// end tells the process to end, and sees to it.
func (c *child) end() {
	limit := c.app.opt.StopTimeout
	c.until.Store(time.Now().Add(limit).UnixNano())
	if !closed(c.exited) {
		signalGroup(c.pid(), c.app.opt.StopSignal)
	}
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-c.gone:
		return
	case <-t.C:
	}
	if !closed(c.exited) {
		c.app.Stats.Kills.Add(1)
		c.app.opt.Log.Warn("instance did not end when told to, and is killed; have it end on that signal, or give it longer",
			"app", c.app.opt.Name, "instance", c.instance, "pid", c.pid(), "signal", c.app.opt.StopSignal.String(), "after", limit)
		killGroup(c.pid())
	}
	<-c.gone
}

// kill ends it at once.
func (c *child) kill() {
	if !closed(c.exited) {
		killGroup(c.pid())
	}
}

// settle is how long an upstream must have nothing to do: whoever chose it just
// before it left may not have begun yet.
const settle = 20 * time.Millisecond

// drain waits until the requests it has are answered. It has left the pool.
func (c *child) drain() {
	c.app.door.Lock()
	up := c.up
	c.app.door.Unlock()
	if up == nil {
		return
	}
	end := time.NewTimer(c.app.opt.Drain)
	defer end.Stop()
	look := time.NewTicker(settle / 2)
	defer look.Stop()
	for quiet := 0; quiet < 2; quiet++ {
		if up.Load() > 0 {
			quiet = -1
		}
		select {
		case <-look.C:
		case <-c.exited:
			return
		case <-end.C:
			if n := up.Load(); n > 0 {
				c.app.opt.Log.Warn("instance still has requests, and is told to end", "app", c.app.opt.Name, "instance", c.instance, "requests", n)
			}
			return
		}
	}
}

// ended says how it ended, when nothing is left of it.
func (c *child) ended() string {
	after := c.lived
	switch {
	case len(c.strays) > 0 && c.state.Success():
		return fmt.Sprintf("it went to the background after %v (process %d went on, and was ended): have it stay in the foreground", after, c.strays[0])
	case c.state.Success():
		return fmt.Sprintf("it ended by itself after %v, with status 0: an app must stay, and in the foreground", after) + c.output.lastWords()
	}
	return fmt.Sprintf("it ended by itself after %v: %s", after, c.state) + c.output.lastWords()
}

func (c *child) announce(k Kind, detail string) {
	e := Event{Kind: k, App: c.app.opt.Name, Instance: c.instance, PID: c.pid(), Detail: detail}
	switch k {
	case Ready:
		e.Addr = c.target.Addr
	case Stop, Restart:
		e.Cause, e.Detail = detail, ""
	case Crashed:
		e.Cause = Cause(max(c.told.Load(), 1) - 1).String()
	}
	c.app.post(e)
}

func (c *child) pid() int { return c.proc.Pid }

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
