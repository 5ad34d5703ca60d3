package filter

import (
	"fmt"
	"net/netip"
	"slices"

	"multiserver/proxy"
)

// access lets clients in by their addresses. Where both lists know an address,
// the longer prefix decides, and of the same length it is refused.
type access struct {
	proxy.Prompt
	rules []rule // longest prefix first
	open  bool   // to those in no list
}

type rule struct {
	of    netip.Prefix
	allow bool
}

func newAccess(o Options) (proxy.Filter, error) {
	var said struct {
		Allow []string `yaml:"allow"`
		Deny  []string `yaml:"deny"`
	}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	if len(said.Allow)+len(said.Deny) == 0 {
		return nil, fmt.Errorf("nobody is named, want allow or deny, such as allow: [10.0.0.0/8]")
	}
	f := &access{open: len(said.Allow) == 0}
	for _, list := range []struct {
		words []string
		allow bool
	}{{said.Deny, false}, {said.Allow, true}} {
		for _, w := range list.words {
			of, err := parsePrefix(w)
			if err != nil {
				return nil, err
			}
			f.rules = append(f.rules, rule{of, list.allow})
		}
	}
	slices.SortStableFunc(f.rules, func(a, b rule) int { return b.of.Bits() - a.of.Bits() })
	return f, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q: want an address or a prefix, such as 10.0.0.0/8 or 2001:db8::/32", s)
	}
	if p.Masked() != p {
		return p, fmt.Errorf("%q: bits are set behind its length, want %s", s, p.Masked())
	}
	return p, nil
}

func (f *access) Request(x *proxy.Exchange) bool {
	if f.allows(x.Addr()) {
		return true
	}
	return x.Answer(403, "not from this address")
}

// allows judges an address; one that is not known, as behind a Unix socket, is
// in no list.
func (f *access) allows(a netip.Addr) bool {
	if a.IsValid() {
		a = a.WithZone("") // which no prefix contains
		for i := range f.rules {
			if f.rules[i].of.Contains(a) {
				return f.rules[i].allow
			}
		}
	}
	return f.open
}
