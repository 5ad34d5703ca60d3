package discover

import (
	"context"
	"net/netip"
	"strconv"

	"multiserver/pool"
)

// dns is a name, each of whose addresses is a member.
type dns struct {
	spec *Spec
	port uint16
	ask  *asker
	host host
}

func isDNS(s *Spec) bool { return s.Scheme == "http" || s.Scheme == "https" }

func openDNS(s *Spec, a *asker) (source, error) {
	port, err := strconv.ParseUint(s.Port, 10, 16)
	if err != nil {
		return nil, err
	}
	return &dns{spec: s, port: uint16(port), ask: a, host: host{name: s.Host}}, nil
}

func (d *dns) members(ctx context.Context) ([]pool.Target, error) {
	addrs, err := d.host.resolve(ctx, d.ask)
	if err != nil {
		return nil, err
	}
	targets := make([]pool.Target, len(addrs))
	for i, a := range addrs {
		targets[i] = d.spec.at(netip.AddrPortFrom(a, d.port))
	}
	return targets, nil
}
