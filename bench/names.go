//go:build linux

package main

import (
	"net"
	"net/netip"
	"strings"
	"sync"
)

// names is a DNS server on loopback that knows what it was told, of IPv4: as much of RFC 1035 as
// the proxy's resolver asks for.
type names struct {
	pc net.PacketConn

	mu sync.Mutex
	is map[string]netip.Addr // guarded by mu; by name, with a dot at its end
}

func newNames() (*names, error) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	n := &names{pc: pc, is: map[string]netip.Addr{}}
	go n.serve()
	return n, nil
}

func (n *names) addr() string { return n.pc.LocalAddr().String() }
func (n *names) close()       { n.pc.Close() }

// set has that name mean that address from now on.
func (n *names) set(name string, a netip.Addr) {
	n.mu.Lock()
	n.is[name] = a
	n.mu.Unlock()
}

func (n *names) serve() {
	in := make([]byte, 1500)
	for {
		k, from, err := n.pc.ReadFrom(in)
		if err != nil {
			return
		}
		if out := n.answer(in[:k]); out != nil {
			n.pc.WriteTo(out, from)
		}
	}
}

// Of a DNS message: the length of its head, and the type that asks for IPv4.
const dnsHead, dnsA = 12, 1

// answer is for a query of one question; nil for what is none.
func (n *names) answer(q []byte) []byte {
	var name strings.Builder
	end := dnsHead
	for end < len(q) && q[end] != 0 {
		next := end + 1 + int(q[end])
		if next >= len(q) {
			return nil
		}
		name.Write(q[end+1 : next])
		name.WriteByte('.')
		end = next
	}
	if end += 5; end > len(q) { // the name's end, type and class
		return nil
	}
	n.mu.Lock()
	a, known := n.is[strings.ToLower(name.String())]
	n.mu.Unlock()
	out := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[dnsHead:end]...)
	switch {
	case !known:
		out[3] |= 3 // no such name
	case q[end-3] == dnsA:
		out[7] = 1
		out = append(append(out, 0xc0, dnsHead, 0, dnsA, 0, 1, 0, 0, 0, 0, 0, 4), a.AsSlice()...) // good for no time
	}
	return out
}
