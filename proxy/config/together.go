package config

import (
	"fmt"
	"net"
	"net/netip"
)

// together checks what no setting can know alone. It is silent about what was
// given and is wrong by itself: that mistake has its line already.
func together(c *Config, raw Raw) (mistakes Mistakes) {
	add := func(name, value, why string, args ...any) {
		from := "--" + name
		if g, ok := raw[name]; ok {
			from = g.From
		}
		mistakes = append(mistakes, Mistake{From: from, Value: value, Why: fmt.Sprintf(why, args...)})
	}
	if _, given := raw["upstream"]; !given {
		add("upstream", "", "none given, want at least one, such as --upstream http://127.0.0.1:3000")
	}
	for _, t := range c.Upstreams {
		if a, loops := c.loop(t); loops {
			add("upstream", t.URL, "leads back to --listen %s, want the app's own port", a)
		}
	}
	if c.Admin != nil {
		c.checkAdmin(add, raw)
	}
	return mistakes
}

func (c *Config) checkAdmin(add func(name, value, why string, args ...any), raw Raw) {
	for _, a := range c.Listen {
		if a == *c.Admin && !a.anyPort() {
			add("admin", c.Admin.String(), "clients connect there (--listen), want another port, such as 127.0.0.1:9090")
		}
	}
	if _, given := raw["admin-token"]; !given && !c.Admin.loopback() {
		add("admin", c.Admin.String(), "other machines can connect there, want --admin-token TOKEN (or %s) as well, or an address on loopback, such as 127.0.0.1:9090",
			envName("admin-token"))
	}
}

// loop finds the plainest of loops: an upstream that is ourselves, as happens
// when the app's port and the proxy's are mixed up. Others it cannot see.
func (c *Config) loop(t Target) (Address, bool) {
	for _, a := range c.Listen {
		if a == t.Address || a.Network == "tcp" && t.Network == "tcp" && a.takes(t.Addr) {
			return a, true
		}
	}
	return Address{}, false
}

// takes: does a connection to addr, on this machine's loopback, end up at a?
func (a Address) takes(addr string) bool {
	here, port, _ := net.SplitHostPort(a.Addr)
	there, thatPort, _ := net.SplitHostPort(addr)
	if port != thatPort || !(Address{Network: "tcp", Addr: addr}).loopback() {
		return false
	}
	ip, err := netip.ParseAddr(here)
	all := here == "" || err == nil && ip.IsUnspecified()
	return all || here == there || there == "localhost" && a.loopback()
}
