package server

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

// dnsServer answers each question for IPv4 with 127.0.0.9, others with
// nothing, and those for a name that begins with f with a failure.
func dnsServer(t *testing.T) netip.AddrPort {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { pc.Close(); <-done })
	go func() {
		defer close(done)
		in := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(in)
			if err != nil {
				return
			}
			end := 12
			for in[end] != 0 && end < n {
				end += 1 + int(in[end])
			}
			end += 5
			out := append([]byte{in[0], in[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, in[12:end]...)
			switch {
			case in[13] == 'f':
				out[3] |= 2 // SERVFAIL
			case in[end-3] == 1: // A
				out[7] = 1
				out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 9)
			}
			pc.WriteTo(out, from)
		}
	}()
	return pc.LocalAddr().(*net.UDPAddr).AddrPort()
}

func TestTheOperatorsResolverIsAsked(t *testing.T) {
	at := dnsServer(t)
	r := newResolver(at)
	all, err := r.LookupNetIP(t.Context(), "ip", "app.test.")
	if err != nil || len(all) != 1 || all[0].Unmap() != netip.MustParseAddr("127.0.0.9") {
		t.Errorf("%v, %v", all, err)
	}
	for what, err := range map[string]error{
		"address": last(r.LookupNetIP(t.Context(), "ip", "fails.test.")),
		"records": func() error { _, _, err := r.LookupSRV(t.Context(), "", "", "fails.test."); return err }(),
	} {
		var dns *net.DNSError
		if !errors.As(err, &dns) || dns.Server != at.String() {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func last(_ []netip.Addr, err error) error { return err }

func TestTheMachinesResolverIsTheDefault(t *testing.T) {
	if r := newResolver(netip.AddrPort{}); r != nil {
		t.Errorf("%v", r)
	}
}
