//go:build linux

package main

import (
	"context"
	"net"
	"net/netip"
	"testing"
)

func TestNamesMove(t *testing.T) {
	n, err := newNames()
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	r := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, n.addr())
	}}
	if _, err := r.LookupNetIP(t.Context(), "ip", "a.bench."); err == nil {
		t.Error("a name that nobody has set is known")
	}
	for _, want := range []string{"127.0.0.1", "127.0.0.2"} {
		n.set("a.bench.", netip.MustParseAddr(want))
		if all, err := r.LookupNetIP(t.Context(), "ip", "a.bench."); err != nil || len(all) != 1 || all[0].Unmap().String() != want {
			t.Errorf("%v, %v, want %s", all, err, want)
		}
	}
	for _, q := range [][]byte{nil, make([]byte, 12), make([]byte, 16), append(make([]byte, 12), 63, 'a')} {
		if out := n.answer(q); out != nil {
			t.Errorf("%q is answered with %q", q, out)
		}
	}
}
