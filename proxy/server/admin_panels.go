package server

import (
	"multiserver/proxy/admin"
	"multiserver/sync/session"
	"multiserver/sync/session/memory"
	"multiserver/sync/session/redis"
)

// panels are boxes of the dashboard. Whoever has something to show adds one.
func (s *Server) panels() []admin.Panel {
	all := []admin.Panel{}
	if s.sessions.store != nil {
		all = append(all, s.sessions.panel())
	}
	if h := s.hub.Load(); h != nil {
		all = append(all, h.panel())
	}
	return all
}

func (h *hubs) panel() admin.Panel {
	st := &h.Stats
	rate := func(name string, n uint64) admin.Figure {
		return admin.Figure{Name: name, Value: float64(n), Kind: "rate"}
	}
	p := admin.Panel{Title: "Hub", Figures: []admin.Figure{
		{Name: "Members", Value: float64(st.Members.Load()), Kind: "count"},
		{Name: "Channels", Value: float64(st.Channels.Load()), Kind: "count"},
		rate("Published", st.Published.Load()),
		rate("From other nodes", st.Received.Load()),
		rate("Delivered", st.Written.Load()+st.Queued.Load()),
		rate("Dropped", st.Dropped.Load()+st.Evicted.Load()),
	}}
	if h.shared {
		p.Figures = append(p.Figures, admin.Figure{Name: "Other nodes", Value: flag(h.Up()), Kind: "flag"})
	}
	return p
}

func (m *sessions) panel() admin.Panel {
	rate := func(name string, of func(*session.Stats) uint64) admin.Figure {
		return admin.Figure{Name: name, Value: float64(m.sum(of)), Kind: "rate"}
	}
	p := admin.Panel{Title: "Sessions", Figures: []admin.Figure{
		rate("Found", func(s *session.Stats) uint64 { return s.Loaded.Load() }),
		rate("Begun", func(s *session.Stats) uint64 { return s.Begun.Load() }),
		rate("Changed", func(s *session.Stats) uint64 { return s.Patched.Load() }),
		rate("Ended", func(s *session.Stats) uint64 { return s.Dropped.Load() }),
	}}
	inMemory := func(t *memory.Table) {
		p.Figures = append(p.Figures,
			admin.Figure{Name: "In memory", Value: float64(t.Stats.Records.Load()), Kind: "count"},
			admin.Figure{Name: "Held", Value: float64(t.Stats.Bytes.Load()), Kind: "bytes"})
	}
	switch s := m.store.(type) {
	case *memory.Store:
		inMemory(s.Table)
	case *redis.Store:
		p.Figures = append(p.Figures, admin.Figure{Name: "Redis", Value: flag(s.Link.Up()), Kind: "flag"})
		if s.Local != nil {
			inMemory(s.Local)
		}
	}
	return p
}
