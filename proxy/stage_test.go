package proxy_test

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// startProxy puts a proxy before origins, in this process, until the test
// ends.
func startProxy(t testing.TB, origins ...string) (addr string) {
	t.Helper()
	addr, _ = startProxyWith(t, nil, origins...)
	return addr
}

// startProxyWith lets the test change the options. Their limits are far away.
func startProxyWith(t testing.TB, change func(*proxy.Options), origins ...string) (addr string, p *proxy.Proxy) {
	t.Helper()
	guard := wire.NewGuard()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	ups := pool.New(pool.Options{
		Guard: guard, Connect: patience / 2, Response: patience / 2,
		MaxHead: 64 << 10, MaxIdle: 64, Log: log,
	})
	var targets []pool.Target
	for _, o := range origins {
		targets = append(targets, pool.Target{Name: "http://" + o, Network: "tcp", Addr: o, Host: o, Weight: 1})
	}
	ups.Set(targets)
	opt := proxy.Options{
		Route: proxy.Route{Pool: &proxy.Pool{Pool: ups}, Response: patience / 2, Idle: patience / 2},
		Guard: guard, Log: log,
		Head: patience / 2, KeepAlive: patience / 2,
		MaxHead: 64 << 10,
	}
	if change != nil {
		change(&opt)
	}
	p = proxy.New(opt)
	t.Cleanup(func() { // when no connection is left
		ups.Close()
		guard.Close()
	})
	return listenUntil(t, taking(p), guard.EndAll), p
}

// taking serves as ServeConn does, but lets quiet connections park.
func taking(p *proxy.Proxy) func(net.Conn) {
	return func(nc net.Conn) {
		over := make(chan struct{})
		if p.Take(nc, nil, func() { close(over) }) {
			<-over
		}
	}
}

// listen serves every connection in a goroutine until the test ends, then
// closes them all and waits.
func listen(t testing.TB, serve func(net.Conn)) (addr string) {
	t.Helper()
	return listenUntil(t, serve, nil)
}

// listenUntil is listen, but has end end the connections: a parked one that is
// closed behind the Guard's back is not heard of again.
func listenUntil(t testing.TB, serve func(net.Conn), end func()) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn // the accepting goroutine's, until that has ended
	var accepts, serves sync.WaitGroup
	accepts.Go(func() {
		for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
			conns = append(conns, nc)
			serves.Go(func() { serve(nc) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		accepts.Wait()
		if end == nil {
			for _, nc := range conns {
				nc.Close()
			}
		}
		done := make(chan struct{})
		go func() { serves.Wait(); close(done) }()
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			select {
			case <-done:
				tick.Stop()
				return
			case <-tick.C:
				if end != nil {
					end()
				}
			}
		}
	})
	return ln.Addr().String()
}

// startOrigin gives the same answer to every request, of which it only looks
// for the end: the empty line, and body bytes behind it.
func startOrigin(t testing.TB, body int, answer string) (addr string) {
	t.Helper()
	out := []byte(answer)
	return listen(t, func(nc net.Conn) {
		defer nc.Close()
		buf := make([]byte, 64<<10)
		for n := 0; ; {
			k, err := nc.Read(buf[n:])
			if err != nil {
				return
			}
			n += k
			if end := bytes.Index(buf[:n], []byte("\r\n\r\n")); end < 0 || n < end+4+body {
				continue
			}
			n = 0
			if _, err := nc.Write(out); err != nil {
				return
			}
		}
	})
}

func dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc
}

// await fails the test unless ok becomes true.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}
