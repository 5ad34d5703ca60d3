package server

import (
	"context"
	"sync"
	"time"

	"multiserver/proxy"
	"multiserver/sync/hub"
	"multiserver/sync/hub/sse"
)

// aliveEvery is how often a stream says that it is there. Proxies between take
// connections for dead after a minute.
const aliveEvery = 15 * time.Second

// joinWithin is how long a broker may take to tell where a client is.
const joinWithin = 2 * time.Second

// Wants tells whether a request is for events.
func (m *mount) Wants(x *proxy.Exchange) bool {
	path, events := m.place(x)
	return path != nil && events
}

// Serve says to the client what is said in its channels, until one of the two
// goes.
func (m *mount) Serve(x *proxy.Exchange) {
	path, _ := m.place(x)
	last := string(x.Req.Peek("last-event-id"))
	if last == "" {
		last = m.since(x)
	}
	cursor, _ := sse.NewCursor(m.names(x, string(path)), last)
	s := sse.New(cursor, m.budget)
	c, why := m.hub.Enter(s, hub.Who{ID: hub.NewID(), Addr: x.Addr(), Session: x.SessionID(), Path: string(path)})
	if why != hub.OK {
		x.Answer(503, why.String())
		return
	}
	defer c.Leave()
	if !m.hub.flows.add(s, x.Client.Left) {
		x.Answer(503, "about to end")
		return
	}
	defer m.hub.flows.remove(s)
	if x.Flow(sse.ContentType, m.origins.readers(x)) && m.hub.joinFlow(s, c) {
		flow(m.hub.ctx, s, x)
	}
}

func (h *hubs) joinFlow(s *sse.Stream, c *hub.Conn) bool {
	ctx, cancel := context.WithTimeout(h.ctx, joinWithin)
	defer cancel()
	return s.Join(ctx, c) == hub.OK
}

func flow(ctx context.Context, s *sse.Stream, x *proxy.Exchange) {
	for {
		b, err := s.Next(ctx, aliveEvery)
		if err != nil {
			x.EndFlow()
			return
		}
		if x.Write(b) != nil {
			return
		}
	}
}

// flows are the streams under way.
type flows struct {
	mu   sync.Mutex
	all  map[*sse.Stream]func() bool // guarded by mu; tells whether its client has left
	over bool                        // guarded by mu; there are to be no more
}

func (f *flows) add(s *sse.Stream, left func() bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over {
		return false
	}
	if f.all == nil {
		f.all = map[*sse.Stream]func() bool{}
	}
	f.all[s] = left
	return true
}

func (f *flows) remove(s *sse.Stream) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, s)
}

func (f *flows) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.all)
}

// endGone ends those whose clients have left: nothing is read of them, and
// little may be written.
func (f *flows) endGone() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s, left := range f.all {
		if left() {
			s.Close(0, "")
		}
	}
}

func (h *hubs) endFlows(parts int) {
	if h != nil {
		h.flows.end(parts)
	}
}

// end ends one in parts of them, as proxy.EndTunnels does.
func (f *flows) end(parts int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over = true
	n := (len(f.all) + parts - 1) / parts
	for s := range f.all {
		if n--; n < 0 {
			return
		}
		delete(f.all, s)
		s.Close(hub.GoingAway, "")
	}
}
