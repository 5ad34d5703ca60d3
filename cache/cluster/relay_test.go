package cluster

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A relay is a wire between one node and Redis that can be cut.
type relay struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	cut   bool                  // guarded by mu
	conns map[net.Conn]struct{} // guarded by mu; both sides of each
}

func newRelay(t testing.TB, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{to: to, listener: l, conns: map[net.Conn]struct{}{}}
	go r.accept()
	t.Cleanup(func() {
		l.Close()
		r.sever()
	})
	return r
}

func (r *relay) url() string { return "redis://" + r.listener.Addr().String() }

func (r *relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.to)
		if err != nil || !r.add(near, far) {
			near.Close()
			if far != nil {
				far.Close()
			}
			continue
		}
		go r.pass(near, far)
		go r.pass(far, near)
	}
}

func (r *relay) add(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if !r.cut {
			r.conns[c] = struct{}{}
		}
	}
	return !r.cut
}

func (r *relay) pass(to, from net.Conn) {
	io.Copy(to, from)
	to.Close()
	from.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, to)
	delete(r.conns, from)
}

// sever ends all connections, and each new one at once, until mend.
func (r *relay) sever() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = true
	for c := range r.conns {
		c.Close()
	}
}

func (r *relay) mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = false
}
