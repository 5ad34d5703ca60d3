package server

import (
	"multiserver/proxy/admin"
	"multiserver/sync/session"
	"multiserver/sync/session/memory"
	"multiserver/sync/session/redis"
)

// Boxes of the dashboard. Whoever has something to show adds a row.
func (s *Server) panels() (all []func() admin.Panel) {
	if s.sessions.store != nil {
		all = append(all, s.sessions.panel)
	}
	return all
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
