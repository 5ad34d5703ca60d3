//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"multiserver/bench/app"
	"multiserver/bench/steady"
)

// An event is what became of one request.
type event struct {
	began, took time.Duration // from the tally's start
	post        bool
	origin      string // who says it answered
	end         ending
	status      int
	tag         string
	why         string // of Broke and Cut
}

// ending is how a request ended for its client.
type ending int

const (
	Good  ending = iota
	Error        // a status of 400 and above
	Cut          // an answer that ended early, and said so
	Broke        // no answer
	Mixed        // somebody else's answer, or a part of it
)

// A tally has clients ask, and writes down all they get.
type tally struct {
	addr  string
	began time.Time
	stop  context.CancelFunc
	wg    sync.WaitGroup

	mu  sync.Mutex
	all []event // guarded by mu
}

// Clients of a tally: each with a connection of its own, and a request every tallyEvery.
const (
	tallyConns = 64
	tallyEvery = 20 * time.Millisecond
	tallyLimit = 15 * time.Second // longer than any wait of the proxy's
	tallyPosts = 3                // every third
)

func newTally(ctx context.Context, addr string) *tally {
	t := &tally{addr: addr, began: time.Now()}
	ctx, t.stop = context.WithCancel(ctx)
	for i := range tallyConns {
		t.wg.Go(func() { t.client(ctx, i) })
	}
	return t
}

// end stops the clients, and has all their events.
func (t *tally) end() []event {
	t.stop()
	t.wg.Wait()
	return t.all
}

func (t *tally) now() time.Duration { return time.Since(t.began) }

// served tells whether that origin has answered a request which began after that.
func (t *tally) served(origin string, after time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := len(t.all) - 1; i >= 0 && t.all[i].began > after-tallyLimit; i-- {
		if e := &t.all[i]; e.end == Good && e.began > after && e.origin == origin {
			return true
		}
	}
	return false
}

func (t *tally) client(ctx context.Context, i int) {
	c := &steady.Conn{Addr: t.addr, Limit: tallyLimit}
	defer c.Close()
	pause(ctx, tallyEvery*time.Duration(i)/tallyConns)
	for n := 0; ctx.Err() == nil; n++ {
		e := event{began: t.now(), post: n%tallyPosts == 0, tag: fmt.Sprintf("c%02d-%06d", i, n)}
		req := get("/" + e.tag)
		if e.post {
			req = post("/" + e.tag)
		}
		e.judge(c, c.Ask(req))
		e.took = t.now() - e.began
		t.mu.Lock()
		t.all = append(t.all, e)
		t.mu.Unlock()
		pause(ctx, tallyEvery-e.took)
	}
}

// judge looks at what came back.
func (e *event) judge(c *steady.Conn, err error) {
	e.status, e.origin = c.Res.StatusCode(), string(c.Res.Header.Peek("Origin"))
	body := string(c.Res.Body())
	whole := app.Body(e.tag)
	switch {
	case err != nil:
		e.end, e.why = Broke, err.Error()
		if errors.Is(err, io.ErrUnexpectedEOF) || e.origin != "" {
			e.end = Cut
		}
	case e.status >= 400:
		e.end = Error
		if strings.Contains(body, "c") && e.origin != "" && !strings.HasPrefix(body, "told") && !strings.HasPrefix(body, "incomplete") {
			e.end = Mixed // an origin's error says one of two things
		}
	case body != whole:
		e.end = Mixed
	default:
		e.end = Good
	}
}

// A ledger is what origins wrote down: how often each POST was counted.
func ledger(files []string) (map[string]int, error) {
	counted := map[string]int{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		for tag := range strings.Lines(string(text)) {
			counted[strings.TrimSpace(tag)]++
		}
	}
	return counted, nil
}

// audit compares what clients were told of their POSTs with what was counted.
func audit(all []event, counted map[string]int) (lost, doubled []string) {
	for _, e := range all {
		if !e.post {
			continue
		}
		n := counted[e.tag]
		if e.end == Good && n == 0 {
			lost = append(lost, e.tag)
		}
		if n > 1 {
			doubled = append(doubled, e.tag)
		}
	}
	return lost, doubled
}
