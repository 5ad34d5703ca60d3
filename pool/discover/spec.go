package discover

import (
	"net"
	"net/netip"
	"strings"

	"multiserver/pool"
)

// Spec is an upstream as the operator wrote it.
type Spec struct {
	URL    string // without options; what messages call it, and the stem of its members' names
	Scheme string // http, https, srv+http, srv+https or unix
	Host   string // a name, an IP address without brackets, or the path of a socket
	Port   string // a number; empty for SRV, whose records have it, and for unix

	// Each is what all its members have in common: weight, limits, tier. Name,
	// Network, Addr, TLS and Host are filled in here.
	Each pool.Target
}

func (s *Spec) tls() bool { return strings.HasSuffix(s.Scheme, "https") }

// authority is the URL's host[:port] as it was written.
func (s *Spec) authority() string {
	_, a, _ := strings.Cut(s.URL, "://")
	return a
}

// fixed is the one member of an upstream that is where it is. It is known by
// the URL alone.
func (s *Spec) fixed() pool.Target {
	t := s.Each
	t.Name, t.TLS, t.Host = s.URL, s.tls(), s.authority()
	t.Network, t.Addr = "tcp", net.JoinHostPort(s.Host, s.Port)
	if s.Scheme == "unix" {
		t.Network, t.Addr = "unix", s.Host
	}
	return t
}

// at is the member at an address that DNS gave. Its name does not depend on
// what other members there are.
func (s *Spec) at(a netip.AddrPort) pool.Target {
	t := s.Each
	t.Network, t.Addr = "tcp", a.String()
	t.Name = s.URL + " (" + t.Addr + ")"
	t.TLS, t.Host = s.tls(), s.authority()
	return t
}
