package config

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"multiserver/proxy/certs"
)

// letsEncrypt is where certificates are ordered unless --acme-ca says otherwise.
const letsEncrypt = "https://acme-v02.api.letsencrypt.org/directory"

// acmeFolder is what Where makes in the place for users' data.
const acmeFolder = "multiserver-acme"

// challenges are the ways to prove a name.
var challenges = []string{"any", "tls-alpn-01", "http-01"}

var acmeNames = value{
	read: func(c *Config, w string) error {
		name := strings.ToLower(strings.TrimSuffix(w, "."))
		if err := checkOrdered(name); err != nil {
			return err
		}
		if slices.Contains(c.TLS.ACME.Names, name) {
			return errors.New("given twice, want it once")
		}
		c.TLS.ACME.Names = append(c.TLS.ACME.Names, name)
		return nil
	},
	show: func(c *Config) []string { return c.TLS.ACME.Names },
}

// checkOrdered refuses names that no order would bring a certificate for.
func checkOrdered(name string) error {
	_, noAddress := netip.ParseAddr(strings.Trim(name, "[]"))
	switch {
	case strings.HasPrefix(name, "*."):
		return errors.New("a wildcard is proved by DNS (DNS-01), which is not done here; want each name by itself, or --tls-cert FILE with what another ACME client keeps up to date")
	case noAddress == nil:
		return errors.New("is an address, want a host's name")
	case strings.ContainsAny(name, ":/"):
		return errors.New("more than a host's name, want one such as example.org")
	case strings.Contains(name, "_"):
		return errors.New("has an underscore, which no certificate may have")
	}
	return checkHost(name, false)
}

var acmeEmail = withACME(value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		c.TLS.ACME.Email = w
		if a, err := mail.ParseAddress(w); err != nil || a.Address != w {
			return errors.New("not an address, want one such as admin@example.org")
		}
		return nil
	},
	show: func(c *Config) []string { return []string{orNothing(c.TLS.ACME.Email, none)} },
})

var acmeCA = withACME(value{
	read: func(c *Config, w string) error {
		c.TLS.ACME.CA = w
		u, err := url.Parse(w)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			return fmt.Errorf("not the URL of an ACME directory, want one such as %s", letsEncrypt)
		}
		return nil
	},
	show: func(c *Config) []string { return []string{c.TLS.ACME.CA} },
})

var acmeDir = withACME(value{
	read: func(c *Config, w string) error {
		c.TLS.ACME.Dir = w
		if info, err := os.Stat(w); err == nil && !info.IsDir() {
			return errors.New("is not a directory")
		}
		return nil // it is made where there is none
	},
	show: func(c *Config) []string {
		if c.TLS.ACME.Dir == "" {
			return nil
		}
		return []string{c.TLS.ACME.Dir}
	},
})

func withACME(v value) value {
	return shownIf(func(c *Config) bool { return len(c.TLS.ACME.Names) > 0 }, v)
}

// Where is the directory that everything is kept in: Dir, or one among the
// user's data, as the XDG base directory specification has it.
func (a *ACME) Where() (string, error) {
	if a.Dir != "" {
		return a.Dir, nil
	}
	if data := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, acmeFolder), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%w, want a directory to keep certificates and keys in", err)
	}
	return filepath.Join(home, ".local", "share", acmeFolder), nil
}

// ByHTTP tells whether names may be proved on a listener without TLS.
func (a *ACME) ByHTTP() bool { return a.Challenge != "tls-alpn-01" }

// ByTLS tells whether they may be on one with TLS.
func (a *ACME) ByTLS() bool { return a.Challenge != "http-01" }

// checkACME finds orders that nobody could prove, and what was given in vain.
// It has to know the listeners.
func (c *Config) checkACME(add func(name, value, why string, args ...any), raw Raw) {
	a := &c.TLS.ACME
	if _, given := raw["acme"]; !given {
		for _, name := range []string{"acme-email", "acme-ca", "acme-ca-root", "acme-dir", "acme-challenge"} {
			if g, given := raw[name]; given && !off0(g) {
				add(name, "", "no certificate is ordered, want --acme NAME as well")
			}
		}
		*a = ACME{}
		return
	}
	for _, n := range a.Names {
		if a.CA == letsEncrypt && !strings.Contains(n, ".") {
			add("acme", n, "Let's Encrypt vouches for no name without a dot, want one of public DNS, or --acme-ca URL as well")
		}
	}
	if !(a.ByHTTP() && hasTCP(c.Listen) || a.ByTLS() && hasTCP(c.TLS.Listen)) {
		add("acme-challenge", a.Challenge, "there is no listener for proofs, want --listen HOST:PORT for http-01 (port 80 must lead there) or --tls-listen HOST:PORT for tls-alpn-01 (port 443)")
	}
	if a.Roots != "" && readable(a.Roots) {
		if _, err := certs.Roots(a.Roots); err != nil {
			add("acme-ca-root", a.Roots, "%v", err)
		}
	}
}

func hasTCP(on []Address) bool {
	return slices.ContainsFunc(on, func(a Address) bool { return a.Network == "tcp" })
}
