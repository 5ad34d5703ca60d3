package server

import (
	"multiserver/proxy/admin"
	"multiserver/sync/session"
	"multiserver/sync/session/memcached"
	"multiserver/sync/session/memory"
	"multiserver/sync/session/mongo"
	"multiserver/sync/session/redis"
)

// metrics renders what was done with sessions, on all terms, and what their
// store says.
func (m *sessions) metrics(to *admin.Metrics) {
	if m.by[0] == nil {
		return
	}
	for _, f := range []struct {
		event string
		of    func(*session.Stats) uint64
	}{
		{"loaded", func(s *session.Stats) uint64 { return s.Loaded.Load() }},
		{"begun", func(s *session.Stats) uint64 { return s.Begun.Load() }},
		{"patched", func(s *session.Stats) uint64 { return s.Patched.Load() }},
		{"unchanged", func(s *session.Stats) uint64 { return s.Unchanged.Load() }},
		{"touched", func(s *session.Stats) uint64 { return s.Touched.Load() }},
		{"rotated", func(s *session.Stats) uint64 { return s.Rotated.Load() }},
		{"dropped", func(s *session.Stats) uint64 { return s.Dropped.Load() }},
		{"omitted", func(s *session.Stats) uint64 { return s.Omitted.Load() }},
	} {
		to.Counter("multiserver_sessions_total", "Requests by what came of their session: found, begun, changed, said to be as it is, its end put off, moved to a new id, ended, or too large for a field.",
			m.sum(f.of), "event", f.event)
	}
	for why := range session.Reason(session.Reasons) {
		to.Counter("multiserver_sessions_refused_total", "What did not come about with a session, by why.",
			m.sum(func(s *session.Stats) uint64 { return s.Refused(why) }), "reason", why.String())
	}
	m.storeMetrics(to)
}

func (m *sessions) sum(of func(*session.Stats) uint64) (n uint64) {
	for _, s := range m.by {
		n += of(&s.Stats)
	}
	return n
}

func (m *sessions) storeMetrics(to *admin.Metrics) {
	switch s := m.store.(type) {
	case *memory.Store:
		tableMetrics(to, s.Table)
	case *redis.Store:
		linkMetrics(to, s)
		if s.Local != nil {
			tableMetrics(to, s.Local)
		}
	case *memcached.Store:
		st := s.Stats()
		storeFailures(to, "failure", st.Failed)
		storeFailures(to, "away", st.Shut)
		storeFailures(to, "busy", st.Busy)
	case *mongo.Store:
		to.Counter("multiserver_sessions_swept_total", "Sessions removed behind their end.", s.Swept())
	}
}

func storeFailures(to *admin.Metrics, why string, n uint64) {
	to.Counter("multiserver_sessions_store_failures_total", "Questions that the store did not answer, by why.", n, "reason", why)
}

func linkMetrics(to *admin.Metrics, s *redis.Store) {
	st := &s.Link.Stats
	to.Gauge("multiserver_sessions_store_up", "Whether the store answered when last asked.", flag(s.Link.Up()))
	to.Counter("multiserver_sessions_store_loads_total", "Sessions looked for, by where.", s.Stats.LocalHits.Load(), "from", "copy")
	to.Counter("multiserver_sessions_store_loads_total", "Sessions looked for, by where.", s.Stats.Loads.Load(), "from", "store")
	to.Counter("multiserver_sessions_store_damaged_total", "Values found that are no sessions.", s.Stats.Damaged.Load())
	storeFailures(to, "timeout", st.Timeouts.Load())
	storeFailures(to, "failure", st.Failures.Load()+s.Stats.Errors.Load())
	storeFailures(to, "away", st.Away.Load())
	storeFailures(to, "busy", st.Busy.Load())
}

func tableMetrics(to *admin.Metrics, t *memory.Table) {
	to.Gauge("multiserver_sessions_memory_records", "Sessions, or copies of them, in memory.", float64(t.Stats.Records.Load()))
	to.Gauge("multiserver_sessions_memory_bytes", "Bytes that they take.", float64(t.Stats.Bytes.Load()))
	to.Counter("multiserver_sessions_memory_evicted_total", "Of them, removed to make room.", t.Stats.Evicted.Load())
	to.Counter("multiserver_sessions_memory_swept_total", "Of them, removed behind their end.", t.Stats.Swept.Load())
}
