package server

import (
	"multiserver/pool"
	"multiserver/pool/discover"
	"multiserver/proxy/admin"
)

// metrics are of the pool and its upstreams.
func (g *group) metrics(m *admin.Metrics) {
	queueMetrics(m, g.Queue(), "queue", "upstreams", "pool", g.Name)
	queueMetrics(m, g.Second(), "queue", "retries", "pool", g.Name)
	for _, u := range g.Upstreams() {
		g.upstreamMetrics(m, u)
	}
	g.memberMetrics(m)
	g.spawnMetrics(m)
}

func (g *group) upstreamMetrics(m *admin.Metrics, u *pool.Upstream) {
	of := []string{"pool", g.Name, "upstream", u.Name()}
	m.Gauge("multiserver_upstream_up", "Whether requests are sent there.", flag(!u.Down()), of...)
	m.Gauge("multiserver_upstream_ejected", "Whether it is out for having failed too often.", flag(u.Ejected()), of...)
	m.Gauge("multiserver_upstream_failing", "Whether it fails its checks.", flag(u.Failing()), of...)
	m.Gauge("multiserver_upstream_drained", "Whether it is to get no more requests.", flag(u.Drained()), of...)
	m.Gauge("multiserver_upstream_load", "Exchanges under way.", float64(u.Load()), of...)
	m.Gauge("multiserver_upstream_idle", "Connections kept.", float64(u.Idle()), of...)
	m.Gauge("multiserver_upstream_latency_seconds", "Average time to an answer, where it is measured.", u.Latency().Seconds(), of...)
	m.Counter("multiserver_upstream_requests_total", "Tries.", u.Stats.Picked.Load(), of...)
	m.Counter("multiserver_upstream_dialed_total", "Connections made.", u.Stats.Dialed.Load(), of...)
	for r := range u.Stats.Ejected {
		m.Counter("multiserver_upstream_ejections_total", "Times it was put out for failing, by the last failure.",
			u.Stats.Ejected[r].Load(), append(of, "reason", pool.Reason(r).String())...)
	}
	for r := range u.Stats.Faults {
		m.Counter("multiserver_upstream_faults_total", "Failed tries by reason.",
			u.Stats.Faults[r].Load(), append(of, "reason", pool.Reason(r).String())...)
	}
}

// memberMetrics are of the look-ups that find the members.
func (g *group) memberMetrics(m *admin.Metrics) {
	st := &g.members.Stats
	m.Counter("multiserver_lookups_total", "Look-ups of upstreams' names.", st.Lookups.Load(), "pool", g.Name)
	for r := range st.Failures {
		m.Counter("multiserver_lookup_failures_total", "Look-ups that gave nothing, by reason.",
			st.Failures[r].Load(), "pool", g.Name, "reason", discover.Reason(r).String())
	}
	m.Counter("multiserver_member_changes_total", "Times that look-ups changed an upstream's members.", st.Changes.Load(), "pool", g.Name)
	m.Gauge("multiserver_stale_upstreams", "Upstreams that live on an old answer of DNS.", float64(st.Stale.Load()), "pool", g.Name)
}

// queueMetrics are of those who wait for a place in the process, or at the
// upstreams.
func queueMetrics(m *admin.Metrics, q *pool.Queue, labels ...string) {
	m.Gauge("multiserver_queue_waiting", "Exchanges that wait for a place.", float64(q.Waiting()), labels...)
	m.Counter("multiserver_queue_waited_total", "Exchanges that had to wait for a place.", q.Stats.Waited.Load(), labels...)
	for _, refused := range []struct {
		reason pool.Reason
		n      uint64
	}{
		{pool.QueueFull, q.Stats.Full.Load()},
		{pool.QueueLate, q.Stats.Late.Load()},
		{pool.Left, q.Stats.Gone.Load()},
	} {
		m.Counter("multiserver_queue_refused_total", "Exchanges that got no place, by reason.",
			refused.n, append(labels, "reason", refused.reason.String())...)
	}
}
