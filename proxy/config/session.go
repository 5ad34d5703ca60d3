package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Session is how clients' sessions are kept. Which store, and what happens when
// it is away or clients are at odds, is decided for each route; the rest is the
// same for all.
type Session struct {
	Store  string // memory, redis, memcached or mongo; "": there are none
	Refuse bool   // requests that want one while the store is away; else they go on without
	Strict bool   // 409 where X-Session-If-Version is not that of the session

	Keys     []string      // sign tokens: the first signs, all verify; none: the store keeps one
	Cookie   string        // its name
	Path     string        // for which clients send it
	Domain   string        // to whose hosts, too; "": to the one alone that set it
	SameSite string        // lax, strict or none
	Life     time.Duration // how long clients keep it, whole seconds; 0: until they are closed
	Header   string        // the field that bears tokens in its place; "": none does

	TTL     time.Duration // for which a session lasts unused
	MaxAge  time.Duration // for which it lasts at all
	Timeout time.Duration // for what a request asks of the store
	Memory  int64         // bytes of sessions here, or of copies from Redis
	Sign    string        // makes X-Session-Signature; "": there is none

	Memcached []string // host:port or unix:/path
	Mongo     string   // URL

	used string // the store of some route; "": none has sessions
}

// sessionStores are where sessions can be kept.
var sessionStores = []string{off, "memory", "redis", "memcached", "mongo"}

var sessionStore = value{
	read: func(c *Config, w string) error {
		if w == "false" { // what YAML 1.1 makes of off
			w = off
		}
		if c.Session.Store = w; w == off {
			c.Session.Store = ""
		}
		return oneOf(sessionStores, w)
	},
	show: func(c *Config) []string { return []string{orNothing(c.Session.Store, off)} },
}

// inSession is a setting that shows nothing where there are no sessions.
func inSession(v value) value {
	return shownIf(func(c *Config) bool { return c.Session.Store+c.Session.used != "" }, v)
}

// inCookie is a setting that shows nothing where there is no cookie.
func inCookie(v value) value {
	return inSession(shownIf(func(c *Config) bool { return c.Session.Header == "" }, v))
}

// inMemory is a setting that shows nothing where none of it is used.
func inMemory(v value) value {
	return inSession(shownIf(func(c *Config) bool { return c.Session.used == "memory" || c.Session.used == "redis" }, v))
}

var (
	onError = []string{"pass", "refuse"}
	sites   = []string{"lax", "strict", "none"}
)

var sessionOnError = inSession(value{
	read: func(c *Config, w string) error {
		c.Session.Refuse = w == "refuse"
		return oneOf(onError, w)
	},
	show: func(c *Config) []string {
		if c.Session.Refuse {
			return onError[1:]
		}
		return onError[:1]
	},
})

var sessionKeys = inSession(value{
	read: func(c *Config, w string) error {
		c.Session.Keys = append(c.Session.Keys, w)
		return checkKey(w)
	},
	show: func(c *Config) []string { return c.Session.Keys },
})

// checkKey takes what nobody guesses.
func checkKey(w string) error {
	if len(w) < shortestKey {
		return fmt.Errorf("%d bytes can be guessed, want at least %d, such as those that `openssl rand -hex 16` prints", len(w), shortestKey)
	}
	return nil
}

var sessionSign = inSession(value{
	read: func(c *Config, w string) error {
		c.Session.Sign = w
		return checkKey(w)
	},
	show: func(c *Config) []string {
		if c.Session.Sign == "" {
			return nil
		}
		return []string{c.Session.Sign}
	},
})

// sessionWord is a setting of one word, which check takes; none where nothing
// is one.
func sessionWord(nothing string, check func(string) error, at func(*Session) *string) value {
	return inSession(value{
		read: func(c *Config, w string) error {
			if w == nothing {
				return nil
			}
			err := check(w)
			if err == nil {
				*at(&c.Session) = w
			}
			return err
		},
		show: func(c *Config) []string { return []string{orNothing(*at(&c.Session), nothing)} },
	})
}

func checkCookieName(w string) error {
	if strings.ContainsFunc(w, notWord) {
		return errors.New("want a name of letters, digits, - and _")
	}
	return nil
}

func checkCookiePath(w string) error {
	if w[0] != '/' || strings.ContainsAny(w, " ;,") {
		return errors.New("want a path such as /app, without blanks, commas and semicolons")
	}
	return nil
}

func checkCookieDomain(w string) error {
	if strings.ContainsFunc(w, func(r rune) bool { return r != '.' && notWord(r) }) {
		return errors.New("want a host's name, such as example.org")
	}
	return nil
}

func checkSessionHeader(w string) error {
	if err := checkCookieName(w); err != nil {
		return err
	}
	switch lower := strings.ReplaceAll(strings.ToLower(w), "_", "-"); {
	case strings.HasPrefix(lower, "x-session-"):
		return errors.New("names that begin so are between us and upstreams, want another, such as Session-Token")
	case slices.Contains([]string{"cookie", "set-cookie", "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"}, lower):
		return errors.New("has a meaning of its own, want another, such as Session-Token")
	}
	return nil
}

func notWord(r rune) bool {
	return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '_')
}

var sessionLife = inCookie(value{
	read: func(c *Config, w string) (err error) {
		c.Session.Life, err = durationIn(0, longest, w)
		if err == nil && c.Session.Life%time.Second != 0 {
			err = errors.New("cookies count whole seconds")
		}
		return err
	},
	show: func(c *Config) []string { return []string{showDuration(c.Session.Life)} },
})

var memcached = shownIf(func(c *Config) bool { return len(c.Session.Memcached) > 0 }, value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		addr, err := parseMemcached(w)
		c.Session.Memcached = append(c.Session.Memcached, addr)
		return err
	},
	show: func(c *Config) []string { return c.Session.Memcached },
})

func parseMemcached(w string) (string, error) {
	if strings.HasPrefix(w, unixPrefix) {
		return w, nil
	}
	host, port, err := splitHostPort(w)
	if port == "" {
		port = "11211"
	}
	if err == nil {
		err = checkHost(host, false)
	}
	if err == nil {
		port, err = parsePort(port, 1)
	}
	if err != nil {
		return w, fmt.Errorf("%w, want host:port, such as 10.0.0.5:11211, or unix:/path", err)
	}
	return net.JoinHostPort(host, port), nil
}

var mongo = value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		c.Session.Mongo = w
		if !strings.HasPrefix(w, "mongodb://") && !strings.HasPrefix(w, "mongodb+srv://") {
			return errors.New("unknown or missing scheme, want one such as mongodb://10.0.0.5:27017 or mongodb+srv://example.org")
		}
		if strings.Contains(w, hidden+"@") {
			return fmt.Errorf("the password is left out here, want it in the place of %s", hidden)
		}
		return nil
	},
	show: func(c *Config) []string {
		if c.mongo() == "" {
			return nil
		}
		return []string{c.mongo()}
	},
	veil: func(c *Config) string { return withoutUserinfo(c.mongo()) },
}

// SessionStore is where the sessions of those routes are kept that have some;
// "": none has.
func (c *Config) SessionStore() string { return c.Session.used }
