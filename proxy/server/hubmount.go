package server

import (
	"errors"
	"net/url"
	"strings"

	"multiserver/proxy"
	"multiserver/proxy/config"
	"multiserver/proxy/wire"
	"multiserver/sync/hub"
)

// mount is a route's part of the hub: who may come, and in which channels they
// are. It is a Filter, a Watcher and Events.
type mount struct {
	proxy.Pass
	hub      *hubs
	paths    []hubPath
	channels []hub.Template
	origins  origins
	budget   int
	span     *span // nil: it bridges nothing
}

// hubPath is one of --hub.
type hubPath struct {
	path   string // of a prefix, with its last /
	prefix bool
}

func (h *hubs) mount(of *config.Route) (*mount, error) {
	c := &of.Hub
	m := &mount{hub: h, origins: newOrigins(c.Origins), budget: c.Budget}
	for _, p := range c.Paths {
		path, prefix := strings.CutSuffix(p, "*")
		m.paths = append(m.paths, hubPath{path, prefix})
	}
	var err error
	for _, text := range c.Channels {
		t, failed := hub.ParseTemplate(text, func(string) bool { return true }) // config knows them
		err = errors.Join(err, failed)
		m.channels = append(m.channels, t)
	}
	if c.Bridge {
		m.span = h.bridge(of)
	}
	return m, err
}

// place is the hub path that a request is for, without its query; events tells
// that it asks for a stream of them. nil: none.
func (m *mount) place(x *proxy.Exchange) (path []byte, events bool) {
	path, _ = cut(x.Req.Path, '?')
	if isWebSocket(x) {
		if m.covers(path) {
			return path, false
		}
		return nil, false
	}
	const tail = "/events"
	n := len(path) - len(tail)
	if n < 0 || string(path[n:]) != tail || string(x.Req.Method) != "GET" || !m.covers(path[:n]) || !asksForEvents(x) {
		return nil, false
	}
	return path[:n], true
}

func (m *mount) covers(path []byte) bool {
	for i := range m.paths {
		p := &m.paths[i]
		if p.prefix && strings.HasPrefix(string(path), p.path) || !p.prefix && string(path) == p.path {
			return true
		}
	}
	return false
}

func isWebSocket(x *proxy.Exchange) bool {
	return x.Req.Upgrade && wire.EqualFold(x.Req.Find(wire.Upgrade), "websocket")
}

func asksForEvents(x *proxy.Exchange) bool {
	return strings.Contains(string(x.Req.Peek("accept")), "text/event-stream")
}

// Request lets in who may come.
func (m *mount) Request(x *proxy.Exchange) bool {
	path, events := m.place(x)
	if path == nil { // fast path
		return true
	}
	switch {
	case !m.origins.allow(x):
		return x.Answer(403, "pages of this origin may not connect")
	case m.hub.Crowded(x.Addr()):
		return x.Answer(429, "too many connections of one address")
	}
	if _, ok := parseSince(m.since(x)); !ok && !events {
		return x.Answer(400, "since: not an id")
	}
	return true
}

// names are the channels of a client by the route's templates.
func (m *mount) names(x *proxy.Exchange, path string) (names []string) {
	value := func(name string) string {
		kind, key, _ := strings.Cut(name, ".")
		switch {
		case name == "path":
			return path
		case name == "host":
			return string(x.Req.Host)
		case name == "session":
			return x.SessionID()
		case kind == "session":
			return x.SessionText(key)
		}
		return query(x, key)
	}
	for i := range m.channels {
		if name, ok := m.channels[i].Expand(value); ok && hub.ValidName(name) {
			names = append(names, name)
		}
	}
	return names
}

func (m *mount) since(x *proxy.Exchange) string { return query(x, "since") }

// parseSince reads ids for channels with history, in the order in which the
// client joins them; an empty one is none, 0 is before the first.
func parseSince(text string) (ids []*hub.ID, ok bool) {
	if text == "" {
		return nil, true
	}
	for word := range strings.SplitSeq(text, ",") {
		switch id, good := hub.ParseID(word); {
		case word == "":
			ids = append(ids, nil)
		case good, word == "0":
			ids = append(ids, &id)
		default:
			return nil, false
		}
	}
	return ids, true
}

// query is the first parameter of that name.
func query(x *proxy.Exchange, name string) string {
	_, q := cut(x.Req.Path, '?')
	for len(q) > 0 {
		var pair []byte
		pair, q = cut(q, '&')
		if key, value := cut(pair, '='); string(key) == name {
			text, err := url.QueryUnescape(string(value))
			if err != nil {
				return ""
			}
			return text
		}
	}
	return ""
}

func cut(b []byte, at byte) (before, behind []byte) {
	for i := range b {
		if b[i] == at {
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}
