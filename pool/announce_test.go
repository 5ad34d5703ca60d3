package pool

import (
	"bufio"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"multiserver/proxy/proxyproto"
	"multiserver/proxy/wire"
)

// told is an upstream that is told who its clients are, and answers each
// request the same.
type told struct {
	net.Listener
	mu   sync.Mutex
	says []string // guarded by mu; who each connection was for
}

func newTold(t *testing.T) *told {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o := &told{Listener: ln}
	var all sync.WaitGroup
	t.Cleanup(func() { ln.Close(); all.Wait() })
	all.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { o.serve(nc) })
		}
	})
	return o
}

func (o *told) serve(nc net.Conn) {
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	_, h, err := proxyproto.Accept(nc)
	what := h.Src.String()
	switch {
	case err != nil:
		what = err.Error()
	case h.Local:
		what = "local"
	case !h.Src.IsValid():
		what = "unnamed"
	}
	o.mu.Lock()
	o.says = append(o.says, what)
	o.mu.Unlock()
	for in := bufio.NewReader(nc); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line == "\r\n" {
			_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}
}

func (o *told) want(t *testing.T, want ...string) {
	t.Helper()
	await(t, "connections", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return len(o.says) >= len(want)
	})
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.says, want) {
		t.Errorf("%q, want %q", o.says, want)
	}
}

// at is a client's connection between two addresses that are only said.
type at struct {
	net.Conn
	from, to string
}

func (c at) RemoteAddr() net.Addr { return addrOf(c.from) }
func (c at) LocalAddr() net.Addr  { return addrOf(c.to) }

func addrOf(s string) net.Addr {
	if s == "" {
		return nil
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return net.TCPAddrFromAddrPort(a)
	}
	return &net.UnixAddr{Net: "unix", Name: s}
}

// Each exchange has a connection of its own that says for whom it is, and no
// other client's ever comes on it.
func TestUpstreamsAreToldForWhomAConnectionIs(t *testing.T) {
	for _, version := range []int{1, 2} {
		o := newTold(t)
		p := newPool(t, func(opt *Options) { opt.Check.Path, opt.Check.Timeout = "/", patience })
		p.Set([]Target{{Name: "a", Network: "tcp", Addr: o.Addr().String(), SendProxy: version}})
		u := p.Upstreams()[0]
		for _, from := range []string{"192.0.2.1:1", "192.0.2.1:1", "[2001:db8::1]:2", "/run/s", ""} {
			ours, theirs := net.Pipe()
			client := wire.NewConn(at{ours, from, "198.51.100.1:443"}, p.opt().Guard, wire.HeadBuffer)
			var res wire.Response
			l, f := u.Ask(client, get("/"), true, &res)
			if f != nil {
				t.Fatal(f)
			}
			l.Keep()
			_, _ = client.Close(), theirs.Close()
		}
		if n := u.Idle(); n != 0 {
			t.Errorf("%d connections are kept", n)
		}
		if err := u.check(); err != nil {
			t.Error(err)
		}
		own := map[int]string{1: "unnamed", 2: "local"}[version]
		o.want(t, "192.0.2.1:1", "192.0.2.1:1", "[2001:db8::1]:2", "unnamed", own, own)
	}
}
