package config

import (
	"slices"
	"strings"
)

// store is where the sessions of any route are kept; "": there are none. That
// routes differ is complained of elsewhere.
func (f *file) store(top string) string {
	if top != "" {
		return top
	}
	for _, s := range f.routes {
		switch word := strings.Join(s.raw["session"].Words, ""); word {
		case "", off, "false":
		default:
			return word
		}
	}
	return ""
}

// checkSession finds what was given in vain, and what lacks its other half. With
// --session off the rest may stay, so that there can be none for a while.
func (c *Config) checkSession(add func(name, value, why string, args ...any), raw Raw, f *file) {
	s := &c.Session
	store := f.store(s.Store)
	if store == "" {
		*s = Session{}
		if _, given := raw["session"]; !given {
			for i := range Settings {
				name := Settings[i].Name
				if _, given := raw[name]; given && Settings[i].Group == groupSession && !(c.Hub.Used && name == "mongo") {
					add(name, "", "there are no sessions, want --session STORE as well, such as --session memory")
				}
			}
		}
		return
	}
	s.used = store
	f.oneStore(s.Store, store)
	c.checkStore(add, raw, store)
	c.checkToken(add, raw)
	if s.MaxAge < s.TTL {
		add("session-max-age", showDuration(s.MaxAge), "less than --session-ttl %s, want that or more", showDuration(s.TTL))
	}
}

// oneStore complains of routes with another store than the first has: all have
// the same cookie, and a token of one store is of no use to another.
func (f *file) oneStore(top, store string) {
	for _, s := range f.routes {
		g, own := s.raw["session"]
		if word := strings.Join(g.Words, ""); own && word != store && slices.Contains(sessionStores[1:], word) {
			f.wrong = append(f.wrong, Mistake{From: g.From, Value: word, Why: "other routes keep sessions in " + store + ", and all have one cookie: want " + store + ", or off"})
		}
	}
}

// checkStore holds the store against what says where it is.
func (c *Config) checkStore(add func(name, value, why string, args ...any), raw Raw, store string) {
	for _, where := range []struct{ store, name, example string }{
		{"redis", "redis", "redis://127.0.0.1:6379"},
		{"memcached", "memcached", "127.0.0.1:11211"},
		{"mongo", "mongo", "mongodb://127.0.0.1:27017"},
	} {
		g, given := raw[where.name]
		given = given && !off0(g)
		switch {
		case store == where.store && !given:
			add("session", store, "where that is is not said, want --%s as well, such as --%s %s", where.name, where.name, where.example)
		case store != where.store && given && where.name != "redis" && !(c.Hub.Used && where.name == "mongo") && slices.Contains(sessionStores, store):
			add(where.name, "", "has no effect with --session %s, want --session %s", store, where.store)
		}
	}
	if _, given := raw["session-memory"]; given && (store == "memcached" || store == "mongo") {
		add("session-memory", "", "has no effect with --session %s: no copies of its sessions are kept", store)
	}
}

// checkToken holds what clients bear against how they bear it.
func (c *Config) checkToken(add func(name, value, why string, args ...any), raw Raw) {
	s := &c.Session
	if s.Header != "" {
		for _, name := range []string{"session-cookie", "session-path", "session-domain", "session-same-site", "session-life"} {
			if _, given := raw[name]; given {
				add(name, "", "there is no cookie with --session-header, want one of both")
			}
		}
	}
	if strings.HasPrefix(s.Cookie, "__Host-") && (s.Path != "/" || s.Domain != "") {
		add("session-cookie", s.Cookie, "browsers take a cookie of that name only without --session-path and --session-domain, want those left out, or another name")
	}
}

// checkBound finds what wants sessions where there are none.
func (c *Config) checkBound(add func(name, value, why string, args ...any), raw Raw) {
	if c.Session.used != "" {
		return
	}
	if c.Balance == "hash" && c.HashOn.Part == "session" {
		add("hash-on", "session", "there are no sessions, want --session STORE as well, such as --session memory")
	}
	if c.Balance == "sticky" && c.Sticky.Session {
		add("sticky-session", "", "there are no sessions, want --session STORE as well, such as --session memory")
	}
}

// ownSession is the top's, with what a route says of its own.
func (c *Config) ownSession(top *Config, add func(name, value, why string, args ...any), raw Raw) {
	own := c.Session
	c.Session = top.Session
	c.Session.Store, c.Session.Refuse, c.Session.Strict = own.Store, own.Refuse, own.Strict
	if own.Store != "" {
		return
	}
	c.Session.Refuse, c.Session.Strict = top.Session.Refuse, top.Session.Strict
	if _, given := raw["session"]; !given {
		for _, name := range []string{"session-on-error", "session-strict"} {
			add(name, "", "there are no sessions here, want session: STORE as well")
		}
	}
}
