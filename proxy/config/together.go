package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// together decides and checks what no setting can know alone. It is silent
// about what was given and is wrong by itself: that mistake has its line
// already.
func together(c *Config, raw Raw, f *file) (mistakes Mistakes) {
	add := func(name, value, why string, args ...any) {
		if len(f.pools) > 0 && Lookup(name).Scope() == PerPool && name != "upstream" {
			return // what is in vain at the top may not be so in a pool
		}
		from := "--" + name
		if g, ok := raw[name]; ok {
			from = g.From
		}
		mistakes = append(mistakes, Mistake{From: from, Value: value, Why: fmt.Sprintf(why, args...)})
	}
	if !feeds(raw) && len(f.pools) == 0 && len(f.wrong) == 0 {
		add("upstream", "", "none given, want at least one, such as --upstream http://127.0.0.1:3000")
	}
	c.checkSpawn(add, raw)
	c.checkUpstreams(add, raw)
	c.checkTLS(add, raw)
	c.checkUpstreamTLS(add, raw)
	c.checkProxied(add, raw)
	c.checkBalance(add, raw)
	c.checkHealth(add, raw)
	c.checkHub(add, raw, f)
	c.checkSession(add, raw, f)
	c.checkBound(add, raw)
	c.checkCache(add, raw)
	c.checkAccessLog(add, raw)
	if c.Watch && c.File == "" {
		add("watch", "", "there is no file to watch, want --config FILE as well")
	}
	if c.Admin != nil {
		c.checkAdmin(add, raw)
	}
	return mistakes
}

func (c *Config) checkUpstreams(add func(name, value, why string, args ...any), raw Raw) {
	for _, t := range c.Upstreams {
		if a, loops := c.loop(t.address()); loops {
			add("upstream", t.URL, "leads back to --listen %s, want the app's own port", a)
		}
	}
	if n := len(c.Upstreams); n > 0 && n == len(raw["upstream"].list()) && c.allBackups() && c.Spawn.Instances == 0 {
		add("upstream", c.Upstreams[0].String(), "all upstreams are backups, want at least one without ;backup")
	}
}

func (c *Config) allBackups() bool {
	return !slices.ContainsFunc(c.Upstreams, func(t Target) bool { return !t.Backup })
}

// checkBalance finds what was given in vain, and therefore meant otherwise.
func (c *Config) checkBalance(add func(name, value, why string, args ...any), raw Raw) {
	if !slices.Contains(balances, c.Balance) {
		return
	}
	for _, only := range []struct {
		balance string
		names   []string
	}{
		{"hash", []string{"hash-on"}},
		{"sticky", []string{"sticky-cookie", "sticky-ttl", "sticky-key", "sticky-session"}},
	} {
		for _, name := range only.names {
			if _, given := raw[name]; given && c.Balance != only.balance {
				add(name, "", "has no effect with --balance %s, want --balance %s as well", c.Balance, only.balance)
			}
		}
	}
	if c.Balance == "sticky" && c.Sticky.Session {
		c.checkCookieless(add, raw)
	}
}

// checkCookieless finds what is said of a cookie that nobody gets. Whoever says
// both in one place expects that one stands in for the other; it does not.
func (c *Config) checkCookieless(add func(name, value, why string, args ...any), raw Raw) {
	for _, name := range []string{"sticky-cookie", "sticky-ttl", "sticky-key"} {
		if _, given := raw[name]; given {
			add(name, "", "there is no cookie with --sticky-session, which keeps in the session where a client belongs: want one of both")
		}
	}
}

// checkHealth begins checks where there is a path to ask for. The rest of
// their settings, given without them, were meant to do something; but checks
// may be off for a while, by --health-interval off.
func (c *Config) checkHealth(add func(name, value, why string, args ...any), raw Raw) {
	if _, given := raw["health-interval"]; given {
		return
	}
	if _, given := raw["health-path"]; given {
		if c.Health.Path != "" {
			c.Health.Interval = checkEvery
		}
		return
	}
	for _, name := range []string{"health-timeout", "health-rise", "health-fall"} {
		if _, given := raw[name]; given {
			add(name, "", "there are no checks, want --health-path P as well, or --health-interval D for checks that only connect")
		}
	}
}

// checkProxied finds listeners at which nobody could connect. Who may open a
// Unix socket is for its directory to say.
func (c *Config) checkProxied(add func(name, value, why string, args ...any), raw Raw) {
	if g, given := raw["trusted-proxies"]; given && !off0(g) {
		return
	}
	for _, on := range []struct {
		name  string
		addrs []Address
	}{{"listen", c.Listen}, {"tls-listen", c.TLS.Listen}} {
		for _, a := range on.addrs {
			if a.Proxied && a.Network == "tcp" {
				add(on.name, a.String(), "nobody may connect there, want --trusted-proxies CIDR as well: who sends PROXY headers")
			}
		}
	}
}

func (c *Config) checkAdmin(add func(name, value, why string, args ...any), raw Raw) {
	for _, a := range slices.Concat(c.Listen, c.TLS.Listen) {
		if a.same(*c.Admin) && !a.anyPort() {
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
func (c *Config) loop(to Address) (Address, bool) {
	for _, a := range slices.Concat(c.Listen, c.TLS.Listen) {
		if a.same(to) || a.Network == "tcp" && to.Network == "tcp" && a.takes(to.Addr) {
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
