package server

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"multiserver/pool/discover"
)

// resolver asks the DNS server of the operator's choice. All else is this
// machine's: what /etc/hosts has, and resolv.conf's search list and patience.
type resolver struct {
	net.Resolver
	server string
}

// newResolver asks at; not valid: nil, which is the machine's own.
func newResolver(at netip.AddrPort) discover.Resolver {
	if !at.IsValid() {
		return nil
	}
	r := &resolver{server: at.String()}
	r.PreferGo, r.Dial = true, r.dial // Go's own: libc's cannot be told whom to ask
	return r
}

func (r *resolver) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, r.server)
}

func (r *resolver) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	all, err := r.Resolver.LookupNetIP(ctx, network, host)
	return all, r.own(err)
}

func (r *resolver) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	cname, all, err := r.Resolver.LookupSRV(ctx, service, proto, name)
	return cname, all, r.own(err)
}

// own names the server that was asked; Go names the one that resolv.conf has.
func (r *resolver) own(err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.Server != "" {
		dns.Server = r.server
	}
	return err
}
