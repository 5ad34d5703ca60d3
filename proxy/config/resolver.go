package config

import (
	"errors"
	"net/netip"
)

const dnsPort = 53

var resolver = value{
	read: func(c *Config, w string) (err error) {
		if w != none {
			c.Resolver, err = parseResolver(w)
		}
		return err
	},
	show: func(c *Config) []string {
		if !c.Resolver.IsValid() {
			return []string{none}
		}
		return []string{c.Resolver.String()}
	},
}

// parseResolver takes an address only: a name would have to be looked up, too.
func parseResolver(w string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(w); err == nil {
		return netip.AddrPortFrom(a, dnsPort), nil
	}
	a, err := netip.ParseAddrPort(w)
	if err != nil || a.Port() == 0 {
		return a, errors.New("want an IP address, with a port if it is not 53, such as 10.0.0.53 or [::1]:5353")
	}
	return a, nil
}
