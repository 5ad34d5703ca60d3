package spawn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Between two looks whether a child is ready. A process takes some
// milliseconds to start, a large app seconds.
const knockFirst, knockMost = 5 * time.Millisecond, 100 * time.Millisecond

// knockTimeout bounds a look: an app that takes a connection and says nothing
// is asked again.
const knockTimeout = 2 * time.Second

var (
	errTooLate = errors.New("not ready in time")
	errEnded   = errors.New("ended before it was ready")
)

// await returns nil once c is ready. errTooLate: it was not in time; errEnded; or
// ctx's error: nobody wants it any more.
func (c *child) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.app.opt.ReadyTimeout, errTooLate)
	defer cancel()
	hint := time.AfterFunc(c.app.opt.ReadyTimeout/2, c.hint)
	defer hint.Stop()
	for pause := knockFirst; ; pause = min(pause*3/2, knockMost) {
		found, says := c.knock(ctx)
		if found != nil {
			c.found(*found)
			return nil
		}
		if says != "" {
			c.says = says
		}
		select {
		case <-c.exited:
			return errEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// knock looks whether c is ready, and where. says is what it answered if that
// was not enough.
func (c *child) knock(ctx context.Context) (found *at, says string) {
	for _, a := range c.place.all() {
		d := net.Dialer{Timeout: knockTimeout}
		nc, err := d.DialContext(ctx, a.network, a.addr)
		if err != nil {
			continue
		}
		says = c.ask(nc)
		_ = nc.Close()
		if says == "" {
			return &a, ""
		}
	}
	return nil, says
}

// ask has c answer a request, if more than a connection is wanted of it: a
// listener that it was handed takes connections before it does. What it says
// is empty when that is enough.
func (c *child) ask(nc net.Conn) string {
	path := c.app.opt.Path
	if path == "" && !c.app.opt.Handed {
		return ""
	}
	if path == "" {
		path = "/"
	}
	_ = nc.SetDeadline(time.Now().Add(knockTimeout))
	if _, err := fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: multiserver-ready\r\nConnection: close\r\n\r\n", path); err != nil {
		return "it breaks the connection off"
	}
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		return fmt.Sprintf("it gives no answer in HTTP to GET %s", path)
	}
	_ = res.Body.Close()
	if c.app.opt.Path != "" && (res.StatusCode < 200 || res.StatusCode > 399) {
		return fmt.Sprintf("it answers %d to GET %s", res.StatusCode, path)
	}
	return ""
}

// found makes c a target of the pool. Its name stays that of the instance, so
// that clients who stick to it come back to its successor.
func (c *child) found(a at) {
	t := c.app.opt.Each
	t.Name = fmt.Sprintf("%s/%d", c.app.opt.Name, c.instance)
	t.Network, t.Addr = a.network, a.addr
	if a.network == "tcp" {
		t.Host = a.addr
	}
	c.target = t
}

// fail ends a child that did not get ready, tells why, and returns that.
func (c *child) fail(err error) error {
	why := ""
	if err == errTooLate {
		why = c.silence()
		c.finish(NeverReady)
		why += c.output.lastWords()
	} else {
		c.finish(Crash)
		why = "before it was ready, " + c.ended()
	}
	c.announce(Crashed, why)
	return fmt.Errorf("instance %d: %s", c.instance, why)
}

// silence is what is wrong with a child that runs and cannot be reached.
func (c *child) silence() string {
	within := fmt.Sprintf("not ready within %v: ", c.app.opt.ReadyTimeout)
	if c.says != "" {
		return within + c.says
	}
	if elsewhere := c.listens(); len(elsewhere) > 0 {
		return within + fmt.Sprintf("it listens on %s, but not at %s: have it read the port from PORT, or write {port} among its arguments",
			strings.Join(elsewhere, ", "), c.place)
	}
	return within + fmt.Sprintf("it listens nowhere, and should at %s: have it listen on the port that PORT names, or give it longer", c.place)
}

// listens is where the child takes connections that nobody asked it to, as far
// as the kernel tells us.
func (c *child) listens() []string {
	return slices.DeleteFunc(listeners(group(c.pid())), func(addr string) bool {
		return slices.ContainsFunc(c.place.all(), func(a at) bool { return a.addr == addr })
	})
}

// hint tells early what is most likely wrong.
func (c *child) hint() {
	if elsewhere := c.listens(); len(elsewhere) > 0 {
		c.app.opt.Log.Warn("instance listens elsewhere than it should", "app", c.app.opt.Name, "instance", c.instance,
			"listens", strings.Join(elsewhere, ", "), "should", c.place.String())
	}
}
