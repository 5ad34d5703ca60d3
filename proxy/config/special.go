package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// The settings of a kind of their own.

var trusted = value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		p, err := parsePrefix(w)
		if err != nil {
			return err
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
		return nil
	},
	show: func(c *Config) []string { return orWord(showPrefixes(c.TrustedProxies), none) },
}

// parsePrefix reads a network, or one address as the network of itself.
func parsePrefix(w string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(w); err == nil && a.Zone() == "" {
		a = a.Unmap() // a client's address is compared unmapped too
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(w)
	switch {
	case err != nil:
		return netip.Prefix{}, errors.New("not a network, want one such as 10.0.0.0/8, fd00::/8 or 192.0.2.1")
	case p.Addr().Is4In6():
		return netip.Prefix{}, fmt.Errorf("an IPv4 network in IPv6 clothes, want %s/%d", p.Addr().Unmap(), max(p.Bits()-96, 0))
	case p != p.Masked():
		// Which of the two was meant decides whom we believe: ask.
		return netip.Prefix{}, fmt.Errorf("more than a network, want %s or %s", p.Masked(), p.Addr())
	}
	return p, nil
}

var errorPages = value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		c.ErrorPages = w
		return checkPages(w)
	},
	show: func(c *Config) []string { return []string{orNothing(c.ErrorPages, none)} },
}

var pageName = regexp.MustCompile(`^[45]([0-9][0-9]|xx)\.html$`)

func checkPages(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fileError(err)
	}
	for _, e := range entries {
		if pageName.MatchString(e.Name()) {
			return nil
		}
	}
	return errors.New("has no page, want files such as 502.html, 503.html or 5xx.html in it")
}

var pidFile = value{
	read: func(c *Config, w string) error {
		if w == none || w == off {
			return nil
		}
		dir, err := os.Stat(filepath.Dir(w))
		switch {
		case err != nil:
			return fileError(err)
		case !dir.IsDir():
			return errors.New("is below what is no directory")
		}
		c.PidFile = w
		return nil
	},
	show: func(c *Config) (words []string) {
		if c.PidFile != "" {
			words = append(words, c.PidFile)
		}
		return words
	},
}

// upgrading is not shown as long as it is a minute, which says nothing of how
// requests are served.
var upgrading = func() value {
	v := duration(shortest, func(c *Config) *time.Duration { return &c.Upgrading })
	all := v.show
	v.show = func(c *Config) []string {
		if c.Upgrading == time.Minute {
			return nil
		}
		return all(c)
	}
	return v
}()

var admin = value{
	read: func(c *Config, w string) error {
		if w == off {
			return nil
		}
		a, err := parsePlace(w)
		if err != nil {
			return err
		}
		c.Admin = &a
		return nil
	},
	show: func(c *Config) []string {
		if c.Admin == nil {
			return []string{off}
		}
		return []string{c.Admin.String()}
	},
}

// loopback: can only this machine's own processes connect to it? A name other
// than localhost may point anywhere, and a socket file has its permissions.
func (a Address) loopback() bool {
	if a.Network == "unix" {
		return true
	}
	host, _, _ := net.SplitHostPort(a.Addr)
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

var token = value{
	read: func(c *Config, w string) error {
		c.AdminToken = w
		for _, b := range []byte(w) {
			if b <= ' ' || b >= 0x7f {
				return errors.New("has a byte that no header can carry, want visible ASCII without spaces")
			}
		}
		return nil
	},
	show: func(c *Config) []string {
		if c.AdminToken == "" {
			return nil
		}
		return []string{c.AdminToken}
	},
}

// levels are those of log/slog; the second is the default.
var levels = []string{"debug", "info", "warn", "error"}

var logLevel = value{
	read: func(c *Config, w string) error {
		if err := oneOf(levels, w); err != nil {
			return err
		}
		return c.LogLevel.UnmarshalText([]byte(w))
	},
	show: func(c *Config) []string { return []string{levelName(c.LogLevel)} },
}

func levelName(l slog.Level) string { return strings.ToLower(l.String()) }

// fileError says what is wrong with a path that the message names already.
func fileError(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

func orNothing(word, nothing string) string {
	if word == "" {
		return nothing
	}
	return word
}

func orWord(words []string, nothing string) []string {
	if len(words) == 0 {
		return []string{nothing}
	}
	return words
}
