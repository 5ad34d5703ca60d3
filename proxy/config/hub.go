package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Hub is how messages come to clients of WebSockets and event streams, on
// whichever node they hang.
type Hub struct {
	// Of a route:
	Paths    []string // /exact or /prefix/*; none: no hub, and what follows is zero
	Bridge   bool     // what an upstream says is shown to clients of the others
	Channels []string // that each client is in, with {values}; none: those alone that its upstream says
	Origins  []string // whose pages may connect: SameOrigin, AnyOrigin, scheme://host or scheme://*.host
	Budget   int      // bytes that may wait for one client

	// Of the process:
	Used        bool      // some route has a hub; else all is zero
	Slow        string    // what becomes of a client over its budget: close, drop-oldest or drop-newest
	History     []History // the first whose Pattern fits counts
	MaxChannels int       // of one connection
	MaxMembers  int       // connections in one channel; 0: no limit
	MaxPerAddr  int       // connections of one address; 0: no limit
	Broker      string    // memory, redis or mongo; auto: the best there is
	Mongo       string    // URL; "": there is none
}

// History is what is kept of channels.
type History struct {
	Pattern string // a * at the end stands for any end
	Size    int    // messages
	TTL     time.Duration
}

// Words for Origins.
const (
	SameOrigin = "same"
	AnyOrigin  = "any"
)

var (
	hubModes   = []string{"channels", "bridge"}
	hubSlow    = []string{"close", "drop-oldest", "drop-newest"}
	hubBrokers = []string{auto, "memory", "redis", "mongo"}
)

// hubbed is a setting that shows nothing where there is no hub, hubWide one where
// no route has one.
func hubbed(v value) value  { return shownIf(func(c *Config) bool { return len(c.Hub.Paths) > 0 }, v) }
func hubWide(v value) value { return shownIf(func(c *Config) bool { return c.Hub.Used }, v) }

func hubWords(nothing string, check func(w string) error, at func(*Hub) *[]string) value {
	return value{
		read: func(c *Config, w string) error {
			if w == nothing {
				return nil
			}
			list := at(&c.Hub)
			*list = append(*list, w)
			return check(w)
		},
		show: func(c *Config) []string { return orWord(*at(&c.Hub), nothing) },
	}
}

func checkHubPath(w string) error {
	path := strings.TrimSuffix(w, "/*")
	switch {
	case w == "/*":
		return nil
	case !strings.HasPrefix(w, "/"):
		return fmt.Errorf("missing /, want one such as /%s or /%s/*", w, w)
	case strings.Contains(path, "*"):
		return errors.New("* stands for what follows a /, want it once and at the end, such as /rooms/*")
	case strings.ContainsAny(w, "?#"):
		return errors.New("the query does not count, want the path alone")
	}
	return nil
}

// hubValues are what a channel's template may have in braces, beside those
// that begin with "session." and "query.".
var hubValues = []string{"path", "host", "session"}

func checkChannel(w string) error {
	plain := w
	for {
		before, behind, open := strings.Cut(plain, "{")
		if strings.Contains(before, "}") {
			return errors.New("a } without a {")
		}
		if !open {
			break
		}
		value, rest, closed := strings.Cut(behind, "}")
		kind, name, dotted := strings.Cut(value, ".")
		switch {
		case !closed:
			return errors.New("a { without a }")
		case dotted && name != "" && (kind == "session" || kind == "query"):
		case !slices.Contains(hubValues, value):
			return fmt.Errorf("unknown value {%s}, want {path}, {host}, {query.NAME}, {session} (its id) or {session.KEY}", value)
		}
		plain = rest
	}
	if len(w) > 255 || strings.ContainsFunc(w, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return errors.New("no channel is called that, want up to 255 bytes that can be printed")
	}
	return nil
}

func checkOrigin(w string) error {
	if w == SameOrigin || w == AnyOrigin {
		return nil
	}
	u, err := url.Parse(w)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || strings.Contains(strings.TrimPrefix(u.Host, "*."), "*") {
		return errors.New("not an origin, want one such as https://example.org or https://*.example.org, `same` or `any`")
	}
	return nil
}

var hubMode = hubbed(value{
	read: func(c *Config, w string) error {
		c.Hub.Bridge = w == "bridge"
		return oneOf(hubModes, w)
	},
	show: func(c *Config) []string {
		if c.Hub.Bridge {
			return hubModes[1:]
		}
		return hubModes[:1]
	},
})

// hubHistory is PATTERN;size=N;ttl=D.
var hubHistory = hubWide(value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		h := History{Size: 100, TTL: time.Hour}
		pattern, rest, more := strings.Cut(w, ";")
		h.Pattern = pattern
		if pattern == "" || strings.Contains(strings.TrimSuffix(pattern, "*"), "*") {
			return errors.New("not a channel, want a name, or the front of names and *, such as room:*")
		}
		for more {
			var option string
			option, rest, more = strings.Cut(rest, ";")
			if err := h.option(option); err != nil {
				return err
			}
		}
		c.Hub.History = append(c.Hub.History, h)
		return nil
	},
	show: func(c *Config) (words []string) {
		for _, h := range c.Hub.History {
			words = append(words, fmt.Sprintf("%s;size=%d;ttl=%s", h.Pattern, h.Size, showDuration(h.TTL)))
		}
		return orWord(words, none)
	},
})

const mostKept = 100_000 // messages of a channel; beyond, a database is meant

func (h *History) option(w string) (err error) {
	name, value, _ := strings.Cut(w, "=")
	switch name {
	case "size":
		h.Size, err = strconv.Atoi(value)
		if err != nil || h.Size < 1 || h.Size > mostKept {
			return fmt.Errorf("size out of range, want 1 to %d messages", mostKept)
		}
		return nil
	case "ttl":
		if h.TTL, err = durationIn(time.Second, longest, value); err != nil {
			return fmt.Errorf("ttl: %w", err)
		}
		return nil
	}
	return fmt.Errorf("unknown option %q, want size=N or ttl=D", name)
}

// isHub tells whether a setting is the hub's.
func isHub(name string) bool { return name == "hub" || strings.HasPrefix(name, "hub-") }

// checkHub finds what was given in vain; some route of a file may have a hub
// where the top has none.
func (c *Config) checkHub(add func(name, value, why string, args ...any), raw Raw, f *file) {
	h := &c.Hub
	h.Used = len(h.Paths) > 0 || slices.ContainsFunc(f.routes, func(s *section) bool { _, given := s.raw["hub"]; return given })
	h.Mongo = c.Session.Mongo
	switch {
	case !h.Used:
		c.complainOfHub(add, raw)
	case h.Broker == "redis" && len(c.Cache.Redis.Addrs) == 0:
		add("hub-broker", h.Broker, "there is no Redis, want --redis URL as well")
	case h.Broker == "mongo" && h.Mongo == "":
		add("hub-broker", h.Broker, "there is no MongoDB, want --mongo URL as well")
	}
	h.settle()
}

// mongo is where MongoDB is, for whomever.
func (c *Config) mongo() string { return cmp.Or(c.Session.Mongo, c.Hub.Mongo) }

// checkRouteHub is checkHub for a route below top.
func (c *Config) checkRouteHub(add func(name, value, why string, args ...any), raw Raw, top *Hub) {
	if len(c.Hub.Paths) == 0 {
		c.complainOfHub(add, raw)
	}
	c.Hub.Used, c.Hub.Mongo = top.Used, top.Mongo
	c.Hub.settle()
}

// settle forgets what would have no effect.
func (h *Hub) settle() {
	switch {
	case !h.Used:
		*h = Hub{}
	case len(h.Paths) == 0:
		h.Bridge, h.Channels, h.Origins, h.Budget = false, nil, nil, 0
	}
}

func (c *Config) complainOfHub(add func(name, value, why string, args ...any), raw Raw) {
	if _, off := raw["hub"]; off {
		return
	}
	for i := range Settings {
		name := Settings[i].Name
		if _, given := raw[name]; given && isHub(name) {
			add(name, "", "there is no hub, want --hub PATH as well, such as --hub /ws")
		}
	}
}
