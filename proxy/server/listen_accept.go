package server

import (
	"errors"
	"net"
	"slices"
	"syscall"
	"time"

	"multiserver/proxy"
)

// listener gives its connections a protocol.
type listener struct {
	net.Listener
	crowd   *crowd
	headers *headers    // nil: none come here
	tls     *handshakes // nil: none is spoken here
	from    *proxy.Entrance
}

func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		n := &negotiated{Conn: c, crowd: l.crowd, headers: l.headers, tls: l.tls, from: l.from}
		if l.crowd.enter() {
			n.counted.Store(true)
			return n, nil
		}
		_ = n.Close()
	}
}

// patient is a listener that goes on where descriptors or memory are short: who
// connects meanwhile waits in the kernel's queue. fasthttp would take that for
// the end of the listener, and many clients at once would be the end of us.
type patient struct {
	net.Listener
	crowd *crowd
}

// Between two tries to take a connection: what is short may be free at once, and
// an end of the listener is not to wait for long.
const (
	firstPause = 5 * time.Millisecond
	mostPause  = 100 * time.Millisecond
)

func (p patient) Accept() (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		c, err := p.Listener.Accept()
		if err == nil || !passes(err) {
			return c, err
		}
		p.crowd.starve(err)
		time.Sleep(pause)
	}
}

// passing are failures that say nothing about the listener: what is short, and,
// as Linux has it, errors of the network that were waiting on the connection
// (accept(2)).
var passing = []syscall.Errno{
	syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
	syscall.ECONNABORTED, syscall.EPERM, syscall.EPROTO, syscall.ENETDOWN, syscall.ENETUNREACH,
	syscall.EHOSTDOWN, syscall.EHOSTUNREACH, syscall.ETIMEDOUT,
}

func passes(err error) bool {
	return slices.ContainsFunc(passing, func(n syscall.Errno) bool { return errors.Is(err, n) })
}

// starve notes that a connection could not be taken, and says so once a minute.
func (c *crowd) starve(err error) {
	c.starved.Add(1)
	if now := time.Now().Unix() / 60; c.warned.Swap(now) != now {
		c.log.Warn("connections cannot be taken, they wait", "cause", err, "open", c.open.Load(), "raise", "ulimit -n, LimitNOFILE=, or lower --max-connections")
	}
}
