package discover

import (
	"context"
	"net/netip"
	"slices"
)

// host is a name whose addresses are asked for again and again.
type host struct {
	name string
	last []netip.Addr // the last good answer: of one family, in order
}

// resolve asks for the addresses. When it fails, last stays what it was.
func (h *host) resolve(ctx context.Context, a *asker) ([]netip.Addr, error) {
	found, err := a.addrs(ctx, "ip", h.name)
	if err == nil && h.lostFamily(found) {
		found, err = h.confirm(ctx, a, found)
	}
	if err != nil {
		return nil, err
	}
	h.last = oneFamily(found)
	return h.last, nil
}

// lostFamily: are all addresses of the family gone that was used until now?
func (h *host) lostFamily(found []netip.Addr) bool {
	return len(h.last) > 0 && !slices.ContainsFunc(found, func(a netip.Addr) bool {
		return a.Is4() == h.last[0].Is4()
	})
}

// confirm asks for the lost family alone. A and AAAA are two questions, and
// when one of them fails a resolver passes the other's answer off as the whole:
// without this, one datagram lost would move all traffic to other addresses,
// and back an interval later.
func (h *host) confirm(ctx context.Context, a *asker, found []netip.Addr) ([]netip.Addr, error) {
	network := "ip6"
	if h.last[0].Is4() {
		network = "ip4"
	}
	again, err := a.addrs(ctx, network, h.name)
	if err != nil && firstFailure(err).reason == NotFound {
		return found, nil // so it is true
	}
	return again, err
}

// oneFamily keeps the addresses of the first one's family, as resolvers put
// first what is best reached from here (RFC 6724), and brings them into an
// order that is the same everywhere.
func oneFamily(found []netip.Addr) []netip.Addr {
	out := make([]netip.Addr, 0, len(found))
	for _, a := range found {
		if a.Is4() == found[0].Is4() {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}
