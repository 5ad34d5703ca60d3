package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"multiserver/proxy/route"
)

// YAML is the effective configuration as a file: at the top everything with
// its default, in pools and routes what differs from that, and secrets hidden.
// But for those it is, given back, the same Config, and needs no flags.
func (c *Config) YAML() string {
	var w yamlWriter
	for i := range Settings {
		if s := &Settings[i]; s.Name != "config" {
			w.words("", s.Name, s.seen(c))
		}
	}
	if c.basic() {
		return w.String()
	}
	pools := c.Pools
	if len(c.Upstreams) > 0 {
		pools = pools[1:] // the first is those
	}
	if len(pools) > 0 {
		w.line("pools:")
	}
	for _, p := range pools {
		w.line("  " + scalar(p.Name) + ":")
		w.differing("    ", PerPool, p.Config, c)
	}
	w.line("routes:")
	for i := range c.Routes {
		w.route(&c.Routes[i], c)
	}
	return w.String()
}

// basic tells whether there is nothing that flags could not say.
func (c *Config) basic() bool {
	return len(c.Pools) == 1 && (len(c.Upstreams) > 0 || c.Spawn.Instances != 0) && len(c.Routes) == 1 && c.Routes[0].Name == basic
}

// seen is the setting's words, as far as they may be shown.
func (s *Setting) seen(c *Config) []string {
	words := s.show(c)
	if len(words) > 0 && s.Secret {
		if words = []string{"(hidden)"}; s.veil != nil {
			words[0] = s.veil(c)
		}
	}
	return words
}

// yamlWriter writes the few shapes that the file has.
type yamlWriter struct{ strings.Builder }

func (w *yamlWriter) line(s string) { w.WriteString(s + "\n") }

func (w *yamlWriter) words(indent, key string, words []string) {
	switch s := Lookup(key); {
	case len(words) == 0:
	case len(words) == 1 && (s == nil || !s.Many || words[0] == none):
		w.line(indent + key + ": " + scalar(words[0]))
	case len(words) == 1:
		w.line(indent + key + ": [" + scalar(words[0]) + "]")
	default:
		w.line(indent + key + ":")
		for _, word := range words {
			w.line(indent + "  - " + scalar(word))
		}
	}
}

// differing writes what a pool or a route has of its own.
func (w *yamlWriter) differing(indent string, at Scope, c, top *Config) {
	for i := range Settings {
		s := &Settings[i]
		words := s.show(c)
		if s.Scope() != at || slices.Equal(words, s.show(top)) && s.Name != "upstream" && s.Name != "spawn" && s.Name != "spawn-command" {
			continue
		}
		if s.Name == "cache" {
			words = []string{off}
		} else {
			words = s.seen(c)
		}
		w.words(indent, s.Name, words)
	}
}

func (w *yamlWriter) route(r *Route, top *Config) {
	w.line("  - name: " + scalar(r.Name))
	w.match(&r.Match)
	if r.Pool != "" {
		w.line("    pool: " + scalar(r.Pool))
	} else {
		w.line("    split:")
		for _, s := range r.Split {
			w.line("      " + scalar(s.Pool) + ": " + strconv.Itoa(s.Weight))
		}
		w.line("    split-cookie: " + orNothing(r.Cookie, none))
		w.line("    split-ttl: " + showDuration(r.TTL))
	}
	w.differing("    ", PerRoute, r.Config, top)
	if len(r.Filters) > 0 {
		w.line("    filters:")
	}
	for i := range r.Filters {
		w.line("      - " + r.Filters[i].show())
	}
}

func (w *yamlWriter) match(m *route.Rule) {
	if m.Host == nil && m.Path == nil && m.Method == nil && m.Header == nil && m.Query == nil {
		return
	}
	w.line("    match:")
	w.words("      ", "host", m.Host)
	w.words("      ", "path", m.Path)
	w.words("      ", "method", m.Method)
	w.fields("header", m.Header)
	w.fields("query", m.Query)
}

func (w *yamlWriter) fields(key string, fields []route.Field) {
	if len(fields) > 0 {
		w.line("      " + key + ":")
	}
	for _, f := range fields {
		w.line("        " + scalar(f.Name) + ": " + scalar(f.Value))
	}
}

// bare words mean themselves in YAML, also within a list in brackets. A word
// that could be something else, such as null, is in quotes.
var bare = regexp.MustCompile(`^[A-Za-z0-9/._][A-Za-z0-9/._+@=;:-]*$`)

func scalar(word string) string {
	if bare.MatchString(word) && !strings.HasSuffix(word, ":") && !strings.EqualFold(word, "null") {
		return word
	}
	return strconv.Quote(word)
}
