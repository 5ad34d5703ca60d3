//go:build linux

package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"multiserver/bench/steady"
)

// storeTries bounds how often all is asked for until all is stored: a peer may store an answer
// a moment after it gave it.
const storeTries = 5

// store asks a server for all that will be asked of it, until it does not ask the origin.
func (b *Bench) store(r *runner, s Scenario) error {
	if !s.Stored {
		return nil
	}
	c := steady.Conn{Addr: r.addr(), Limit: 5 * time.Second}
	defer c.Close()
	for range storeTries {
		before, err := b.asked()
		if err != nil {
			return err
		}
		for i := range s.URLs {
			if err := c.Ask(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", s.path(i), r.addr())); err != nil { // as wrk does
				return fmt.Errorf("%s, %s: %w", r.Server.Name, s.path(i), err)
			}
			if code := c.Res.StatusCode(); code != 200 {
				return fmt.Errorf("%s, %s: status %d", r.Server.Name, s.path(i), code)
			}
		}
		if after, err := b.asked(); err != nil || after == before {
			return err
		}
	}
	return fmt.Errorf("%s does not store the answers of %s: asked for the %dth time, it still asks the origin", r.Server.Name, s.Name, storeTries)
}

// asked is how often the origin has been asked for anything.
func (b *Bench) asked() (int, error) {
	c := steady.Conn{Addr: b.origin.addr(), Limit: 5 * time.Second}
	defer c.Close()
	err := c.Ask(get("/asked"))
	n, wrong := strconv.Atoi(string(c.Res.Body()))
	if err = errors.Join(err, wrong); err != nil {
		return 0, fmt.Errorf("what the origin was asked: %w", err)
	}
	return n, nil
}
