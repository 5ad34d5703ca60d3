package config

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"multiserver/proxy/certs"
)

// tlsAddr is where clients connect by TLS unless --tls-listen says otherwise.
const tlsAddr = ":8443"

var tlsCerts = value{
	read: func(c *Config, w string) error {
		if slices.ContainsFunc(c.TLS.Pairs, func(p certs.Pair) bool { return p.Cert == w }) {
			return errors.New("given twice, want it once")
		}
		c.TLS.Pairs = append(c.TLS.Pairs, certs.Pair{Cert: w})
		return nil // the file is looked at with its key
	},
	show: func(c *Config) (words []string) {
		for _, p := range c.TLS.Pairs {
			words = append(words, p.Cert)
		}
		return words
	},
}

// tlsKeys come behind tlsCerts in the table, and each goes to the first
// certificate that has none yet.
var tlsKeys = value{
	read: func(c *Config, w string) error {
		for i := range c.TLS.Pairs {
			if p := &c.TLS.Pairs[i]; p.Key == "" {
				p.Key = w
				return nil
			}
		}
		return errors.New("no --tls-cert goes with it, want as many as there are keys, in the same order")
	},
	show: func(c *Config) (words []string) {
		for _, p := range c.TLS.Pairs {
			words = append(words, p.Key)
		}
		return words
	},
}

var passphrases = shownIf(func(c *Config) bool { return c.TLS.passphrases != "" },
	path(func(c *Config) *string { return &c.TLS.passphrases }))

var tlsListens = value{
	read: func(c *Config, w string) error { return listen(&c.TLS.Listen, w) },
	show: func(c *Config) []string { return showAddresses(c.TLS.Listen) },
}

var httpsPort = value{
	read: func(c *Config, w string) (err error) {
		c.TLS.Port, err = parsePort(w, 1)
		return err
	},
	show: func(c *Config) []string {
		if c.TLS.Port == "" {
			return nil
		}
		return []string{c.TLS.Port}
	},
}

var hsts = withTLS(value{
	read: func(c *Config, w string) (err error) {
		c.TLS.HSTS, err = durationIn(0, 10*longest, w)
		if err == nil && c.TLS.HSTS%time.Second != 0 {
			err = errors.New("browsers count whole seconds") // and max-age=0 would end it
		}
		return err
	},
	show: func(c *Config) []string { return []string{showDuration(c.TLS.HSTS)} },
})

// clientAuths are what is wanted of clients that are asked for a certificate.
var clientAuths = []string{"require", "optional"}

func withClientCA(v value) value {
	return shownIf(func(c *Config) bool { return c.TLS.ClientCA != "" }, v)
}

var upstreamSNI = toTLS(value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		c.UpstreamTLS.SNI = w
		if _, err := netip.ParseAddr(w); err == nil {
			return errors.New("is an address, want a host's name")
		}
		return checkHost(w, false)
	},
	show: func(c *Config) []string { return []string{orNothing(c.UpstreamTLS.SNI, none)} },
})

// path is a file that can be read.
func path(at func(*Config) *string) value {
	return value{
		read: func(c *Config, w string) error {
			if w == none {
				return nil
			}
			*at(c) = w
			f, err := os.Open(w)
			if err != nil {
				return fileError(err)
			}
			return f.Close()
		},
		show: func(c *Config) []string { return []string{orNothing(*at(c), none)} },
	}
}

// withTLS is a setting that shows nothing where clients cannot connect by TLS,
// toTLS one where no upstream is connected to by it.
func withTLS(v value) value { return shownIf(func(c *Config) bool { return len(c.TLS.Listen) > 0 }, v) }

// toTLS: see withTLS.
func toTLS(v value) value { return shownIf(func(c *Config) bool { return c.reachesTLS() }, v) }

func (c *Config) reachesTLS() bool {
	return slices.ContainsFunc(c.Upstreams, func(t Target) bool { return strings.HasSuffix(t.Scheme, "https") })
}

// checkTLS pairs certificates with keys, and finds what was given in vain.
func (c *Config) checkTLS(add func(name, value, why string, args ...any), raw Raw) {
	t := &c.TLS
	if g, given := raw["listen"]; given && len(c.Listen) == 0 && !t.certified(raw) && slices.Equal(g.Words, []string{none}) {
		add("listen", none, "nor can clients connect by TLS, want an address, or --tls-cert FILE as well")
	}
	if !t.certified(raw) {
		c.checkACME(add, raw)
		for _, name := range []string{"tls-passphrases", "tls-listen", "tls-client-ca", "tls-client-auth", "https-redirect", "https-port", "hsts", "http3"} {
			if g, given := raw[name]; given && !(name == "tls-passphrases" && c.UpstreamTLS.Identity.Cert != "") && !off0(g) {
				add(name, "", "there is no certificate, want --tls-cert FILE and --tls-key FILE as well, or --tls-self-signed")
			}
		}
		c.TLS = TLS{passphrases: t.passphrases}
		return
	}
	c.checkPairs(add, raw)
	if _, given := raw["tls-listen"]; !given {
		a, _ := parseAddress(tlsAddr)
		t.Listen = []Address{a}
	}
	for _, a := range t.Listen {
		if slices.ContainsFunc(c.Listen, a.same) && !a.anyPort() {
			add("tls-listen", a.String(), "clients connect there without TLS (--listen), want another port, or --listen none")
		}
	}
	if t.ClientCA != "" {
		if _, err := certs.Roots(t.ClientCA); err != nil && readable(t.ClientCA) {
			add("tls-client-ca", t.ClientCA, "%v", err)
		}
	}
	if _, given := raw["tls-client-auth"]; given && t.ClientCA == "" {
		add("tls-client-auth", t.ClientAuth, "has no effect, want --tls-client-ca FILE as well")
	}
	c.checkRedirect(add, raw)
	c.checkACME(add, raw)
	if t.HTTP3 && !slices.ContainsFunc(t.Listen, Address.HTTP3) {
		add("http3", "", "there is no place for it, want a --tls-listen with a port and without ;accept-proxy: QUIC has no PROXY headers")
	}
}

// certified tells whether there will be a certificate. What is wrong with the
// name of one that is to be ordered has its line already.
func (t *TLS) certified(raw Raw) bool {
	_, ordered := raw["acme"]
	return len(t.Pairs) > 0 || t.SelfSigned || ordered
}

// HTTP3 tells whether a, to listen on by TLS, has a port for UDP as well.
func (a Address) HTTP3() bool { return a.Network == "tcp" && !a.Proxied }

// checkPairs completes the pairs and reads them: what cannot be used is to be
// known before the old process is stopped for the new one.
func (c *Config) checkPairs(add func(name, value, why string, args ...any), raw Raw) {
	keys, given := raw["tls-key"]
	for i := range c.TLS.Pairs {
		p := &c.TLS.Pairs[i]
		p.Passphrases = c.TLS.passphrases
		if p.Key == "" && given {
			add("tls-cert", p.Cert, "no --tls-key goes with it: %d given, want as many as there are certificates, in the same order", len(keys.list()))
			continue
		}
		if p.Key == "" {
			p.Key = p.Cert
		}
		if _, err := p.Load(); err != nil {
			add("tls-cert", p.Cert, "%v", err)
		}
	}
}

func (c *Config) checkRedirect(add func(name, value, why string, args ...any), raw Raw) {
	t := &c.TLS
	switch _, given := raw["https-port"]; {
	case t.Redirect && len(c.Listen) == 0:
		add("https-redirect", "", "has no effect with --listen none, want an address where clients connect without TLS, such as --listen :80")
	case given && !t.Redirect && !t.HTTP3:
		add("https-port", "", "has no effect, want --https-redirect or --http3 as well")
	}
}

func (c *Config) checkUpstreamTLS(add func(name, value, why string, args ...any), raw Raw) {
	u := &c.UpstreamTLS
	if !c.reachesTLS() {
		for _, name := range []string{"upstream-ca", "upstream-cert", "upstream-key", "upstream-sni", "upstream-insecure"} {
			if g, given := raw[name]; given && len(c.Upstreams) > 0 && !off0(g) {
				add(name, "", "has no effect, no --upstream is https:// or h2://")
			}
		}
		c.UpstreamTLS = UpstreamTLS{}
		return
	}
	if u.Insecure && u.CA != "" {
		add("upstream-ca", u.CA, "has no effect with --upstream-insecure, want one of them")
	}
	if u.CA != "" && readable(u.CA) {
		if _, err := certs.Roots(u.CA); err != nil {
			add("upstream-ca", u.CA, "%v", err)
		}
	}
	switch {
	case u.Identity.Cert == "" && u.Identity.Key != "":
		add("upstream-key", u.Identity.Key, "no certificate goes with it, want --upstream-cert FILE as well")
	case u.Identity.Cert != "" && readable(u.Identity.Cert):
		c.checkIdentity(add)
	}
}

func (c *Config) checkIdentity(add func(name, value, why string, args ...any)) {
	p := &c.UpstreamTLS.Identity
	if p.Passphrases = c.TLS.passphrases; p.Key == "" {
		p.Key = p.Cert
	}
	if _, err := p.Load(); err != nil {
		add("upstream-cert", p.Cert, "%v", err)
	}
}

// readable tells whether there is more to be found out about a file; that it
// is not has its line already.
func readable(path string) bool {
	f, err := os.Open(path)
	if err == nil {
		_ = f.Close()
	}
	return err == nil
}

// off0 tells whether a setting was given only to say that it is off, as it
// would beat a value from the environment.
func off0(g Given) bool {
	for _, w := range g.Words {
		switch w {
		case none, off, "false", "0", "0s":
		default:
			return false
		}
	}
	return true
}
