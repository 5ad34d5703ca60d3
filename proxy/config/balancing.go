package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// balances are the pickers one can choose; the first is the default. A test in
// proxy/server holds them against the table of pool/balance.
var balances = []string{"round-robin", "least-connections", "p2c", "least-latency", "random", "hash", "sticky"}

// hashParts are the parts of a request to hash; the first is the default. A
// name follows those that end in a colon.
var hashParts = []string{"client", "uri", "path", "host", "header:", "query:", "cookie:", "session"}

var hashOn = value{
	read: func(c *Config, w string) (err error) {
		c.HashOn, err = parseHashOn(w)
		return err
	},
	show: func(c *Config) []string {
		if c.Balance != "hash" {
			return nil
		}
		return []string{c.HashOn.String()}
	},
}

// String writes it as an operator would.
func (h HashOn) String() string {
	if h.Name == "" {
		return h.Part
	}
	return h.Part + ":" + h.Name
}

func parseHashOn(w string) (HashOn, error) {
	part, name, hasName := strings.Cut(w, ":")
	named := slices.Contains(hashParts, part+":")
	h := HashOn{part, name}
	switch {
	case !named && !slices.Contains(hashParts, part):
		return h, errors.New("unknown, want client, uri, path, host, header:NAME, query:NAME, cookie:NAME or session")
	case !named && hasName:
		return h, fmt.Errorf("%s takes no name, want %s alone", part, part)
	case named && name == "":
		return h, fmt.Errorf("missing name, want %s:NAME", part)
	case part == "header" && !isToken(name):
		return h, errors.New("no header field can be called that")
	case part == "cookie" && !isToken(name):
		return h, errors.New("no cookie can be called that")
	case part == "query" && strings.ContainsAny(name, "&=# "):
		return h, errors.New("no query parameter can be called that; it is compared as it is sent, such as a%20b")
	}
	if part == "header" {
		h.Name = strings.ToLower(name)
	}
	return h, nil
}

// isToken: RFC 9110 §5.6.2, which names of header fields and (RFC 6265 §4.1.1)
// of cookies are.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

var stickyCookie = value{
	read: func(c *Config, w string) error {
		if c.Sticky.Name = w; !isToken(w) {
			return errors.New("no cookie can be called that")
		}
		return nil
	},
	show: ifSticky(byCookie(func(s *Sticky) string { return s.Name })),
}

var stickyTTL = value{
	read: func(c *Config, w string) (err error) {
		c.Sticky.TTL, err = durationIn(0, longest, w)
		if err == nil && c.Sticky.TTL%time.Second != 0 {
			err = errors.New("cookies count whole seconds") // and Max-Age=0 would delete it
		}
		return err
	},
	show: ifSticky(byCookie(func(s *Sticky) string { return showDuration(s.TTL) })),
}

// shortestKey is the least that nobody can guess.
const shortestKey = 16

var stickyKey = value{
	read: func(c *Config, w string) error {
		if c.Sticky.Key = w; len(w) < shortestKey {
			return fmt.Errorf("%d bytes can be guessed, want at least %d, such as those that `openssl rand -hex 16` prints", len(w), shortestKey)
		}
		return nil
	},
	show: ifSticky(byCookie(func(s *Sticky) string { return s.Key })),
}

var stickySession = value{
	read: toggle(func(c *Config) *bool { return &c.Sticky.Session }).read,
	show: ifSticky(func(s *Sticky) string {
		if !s.Session {
			return ""
		}
		return "true"
	}),
}

// byCookie shows nothing where there is no cookie.
func byCookie(at func(*Sticky) string) func(*Sticky) string {
	return func(s *Sticky) string {
		if s.Session {
			return ""
		}
		return at(s)
	}
}

// ifSticky shows nothing where nothing would come of it.
func ifSticky(at func(*Sticky) string) func(*Config) []string {
	return func(c *Config) []string {
		w := at(&c.Sticky)
		if c.Balance != "sticky" || w == "" {
			return nil
		}
		return []string{w}
	}
}
