package server

import (
	"strings"
	"time"

	"multiserver/proxy"
	"multiserver/proxy/wire"
	"multiserver/sync/hub"
)

// member is a tunnel as the hub sees it.
type member struct {
	t     *proxy.Tunnel
	id    string
	conn  *hub.Conn // nil: it has not begun, or was not let in
	leave func()    // the bridge's room; nil: it is in none
}

// Post says a message to the client.
func (m *member) Post(msg *hub.Message) hub.Verdict {
	switch m.t.Post(msg.Frame()) {
	case proxy.Written:
		return hub.Written
	case proxy.Queued:
		return hub.Queued
	case proxy.Evicted:
		return hub.Evicted
	case proxy.Full:
		return hub.Full
	}
	return hub.Closed
}

// Near is for a Post that follows soon.
func (m *member) Near() int64 { return m.t.Near() }

// Quiet is for how long nothing has passed.
func (m *member) Quiet() time.Duration { return m.t.Quiet() }

// Close says a Close.
func (m *member) Close(code uint16, reason string) { m.t.Close(code, reason) }

// Ask tells the upstream who comes, in fields that no client can forge, and
// offers to be spoken to as GRIP has it.
func (m *mount) Ask(t *proxy.Tunnel, x *proxy.Exchange) bool {
	if path, _ := m.place(x); path == nil {
		return false
	}
	who := &member{t: t, id: hub.NewID()}
	t.Tag = who
	ask := x.Ask()
	ask.Drop("x-ws-bridge")
	ask.Set("x-ws-connection-id", []byte(who.id))
	offer := append(join(&x.Req.Head, extensions), hub.GripExtension...)
	ask.Set(extensions, offer)
	x.Tell().Drop("x-ws-channels")
	return true
}

const extensions = "sec-websocket-extensions"

// join is the values of all fields of that name, each with a comma behind it.
func join(h *wire.Head, lower string) (all []byte) {
	for i := range h.Fields {
		if f := &h.Fields[i]; wire.EqualFold(h.Name(f), lower) && len(h.Value(f)) > 0 {
			all = append(append(all, h.Value(f)...), ", "...)
		}
	}
	return all
}

// Begin gives the client its place, in the channels that the route and the
// upstream say.
func (m *mount) Begin(t *proxy.Tunnel, x *proxy.Exchange) proxy.Terms {
	who := t.Tag.(*member)
	path, _ := m.place(x)
	asked, _ := cut(x.Path(), '?')
	var why hub.Reason
	who.conn, why = m.hub.Enter(who, hub.Who{
		ID:      who.id,
		Addr:    x.Addr(),
		Session: x.SessionID(),
		Path:    string(asked),
		Origin:  m.span.instance(x.Origin()),
	})
	if why != hub.OK {
		t.Close(hub.TryAgainLater, why.String())
		return proxy.Terms{}
	}
	names := m.names(x, string(path))
	hub.Names(string(join(&x.Res.Head, "x-ws-channels")), func(name string) { names = append(names, name) })
	ids, _ := parseSince(m.since(x))
	m.hub.join(who.conn, names, ids)
	if m.span != nil {
		m.span.host.CompareAndSwap(nil, new(string(x.Req.Host)))
		who.leave, _ = m.span.bridge.Enter(who.conn)
	}
	return m.terms(x)
}

// join makes c a member of channels, of those with history from where the client
// was.
func (h *hubs) join(c *hub.Conn, names []string, since []*hub.ID) {
	for _, name := range names {
		if len(since) > 0 && h.history(name).Kept() {
			id := since[0]
			since = since[1:]
			if id != nil {
				c.Resume(name, *id)
				continue
			}
		}
		c.Subscribe(name)
	}
}

// terms are those that the upstream has agreed to; the client hears nothing of
// GRIP.
func (m *mount) terms(x *proxy.Exchange) proxy.Terms {
	terms := proxy.Terms{Budget: m.budget, Evict: m.hub.evict}
	said := string(join(&x.Res.Head, extensions))
	prefix, ok := hub.GripAccepted(said)
	if !ok {
		return terms
	}
	terms.Eat, terms.Strip = []byte(hub.ControlPrefix), []byte(prefix)
	x.Tell().Drop(extensions)
	if rest := withoutGrip(said); rest != "" {
		x.Tell().Add("Sec-WebSocket-Extensions", []byte(rest))
	}
	return terms
}

func withoutGrip(said string) string {
	var rest []string
	for one := range strings.SplitSeq(said, ",") {
		name, _, _ := strings.Cut(one, ";")
		if name = strings.TrimSpace(name); name != "" && !strings.EqualFold(name, hub.GripExtension) {
			rest = append(rest, strings.TrimSpace(one))
		}
	}
	return strings.Join(rest, ", ")
}

// Heard does what a backend says to us and to nobody else.
func (m *mount) Heard(t *proxy.Tunnel, message []byte) {
	who := t.Tag.(*member)
	if who.conn == nil {
		return
	}
	if detached, _ := who.conn.Control(message); detached { // what is refused is counted by reason
		t.Detach()
	}
}

// End takes the client out of everything.
func (m *mount) End(t *proxy.Tunnel) {
	who := t.Tag.(*member)
	if who.leave != nil {
		who.leave()
	}
	if who.conn != nil {
		who.conn.Leave()
	}
}
