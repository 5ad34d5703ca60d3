package discover

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Resolver answers look-ups; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (cname string, records []*net.SRV, err error)
}

// What to do about a name under which there is nothing.
const (
	addrHint = "check its spelling, and that this machine's DNS has it"
	srvHint  = "check its spelling, and that it has SRV records; without srv+ its addresses are taken"
)

// asker is a Resolver whose look-ups end in time, are counted, and either give
// something or fail with a *failure.
type asker struct {
	resolver Resolver
	timeout  time.Duration
	stats    *Stats
}

// addrs looks addresses up, in the order of the resolver's preference. IPv4 is
// always four bytes: net.Resolver gives it as ::ffff:a.b.c.d.
func (a *asker) addrs(ctx context.Context, network, name string) (found []netip.Addr, err error) {
	err = a.ask(ctx, name, addrHint, func(ctx context.Context) error {
		all, err := a.resolver.LookupNetIP(ctx, network, name)
		for _, addr := range all {
			if addr = addr.Unmap(); usable(addr) {
				found = append(found, addr)
			}
		}
		if err == nil && len(found) == 0 {
			err = &net.DNSError{Err: "no usable address", Name: name, IsNotFound: true}
		}
		return err
	})
	return found, err
}

// usable: 0.0.0.0 is what blocking resolvers say instead of no, and a connect
// to it reaches this very machine.
func usable(a netip.Addr) bool { return a.IsValid() && !a.IsUnspecified() && !a.IsMulticast() }

// records looks SRV records up, of the name as it is. With an error there may
// still be some: net.Resolver leaves malformed ones out and says so.
func (a *asker) records(ctx context.Context, name string) (found []*net.SRV, err error) {
	err = a.ask(ctx, name, srvHint, func(ctx context.Context) error {
		_, all, err := a.resolver.LookupSRV(ctx, "", "", name)
		for _, r := range all {
			// A target of "." says that there is no such service (RFC 2782).
			if r.Target != "." && r.Target != "" && r.Port != 0 {
				found = append(found, r)
			}
		}
		if err == nil && len(found) == 0 {
			err = &net.DNSError{Err: "no usable SRV record", Name: name, IsNotFound: true}
		}
		return err
	})
	return found, err
}

func (a *asker) ask(ctx context.Context, name, hint string, look func(context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	a.stats.Lookups.Add(1)
	err := look(within)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // told to end: nobody's failure
	}
	f := newFailure(name, hint, err)
	a.stats.Failures[f.reason].Add(1)
	return f
}
