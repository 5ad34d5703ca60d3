package server

import (
	"multiserver/pool"
	"multiserver/pool/discover"
	"multiserver/proxy"
	"multiserver/proxy/admin"
)

// metrics renders the counters of all rooms.
func (s *Server) metrics(m *admin.Metrics) {
	st := &s.proxy.Stats
	m.Gauge("multiserver_clients", "Client connections open.", float64(st.Clients.Load()))
	m.Counter("multiserver_clients_refused_total", "Connections refused, as many as allowed were open.", s.turned.Load())
	m.Gauge("multiserver_tunnels", "WebSocket tunnels open.", float64(st.Upgraded.Load()))
	m.Counter("multiserver_tunnels_idle_total", "WebSocket tunnels ended for being silent too long.", st.TunnelsIdle.Load())
	m.Counter("multiserver_tunnels_told_total", "WebSocket tunnels told at the end of a drain to come again.", st.TunnelsTold.Load())
	for r := range st.Misfits {
		m.Counter("multiserver_handshakes_refused_total", "WebSocket handshakes that did not come about, by what was wrong with them.",
			st.Misfits[r].Load(), "reason", proxy.Misfit(r).String())
	}
	for i := range st.Classes {
		class := [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}[i]
		m.Counter("multiserver_requests_total", "Exchanges by class of the status.", st.Classes[i].Load(), "class", class)
	}
	m.Counter("multiserver_refused_total", "Requests refused for breaking the rules of HTTP.", st.Refused.Load())
	for r := range st.Retries {
		m.Counter("multiserver_retries_total", "Tries after the first, by why the one before failed.",
			st.Retries[r].Load(), "reason", pool.Reason(r).String())
	}
	m.Counter("multiserver_retries_refused_total", "Tries that would have been safe, but too many were tried again already.", st.Spent.Load())
	m.Counter("multiserver_panics_total", "Bugs that were survived.", st.Panics.Load())
	s.trafficMetrics(m)
	if g := s.gate; g != nil {
		m.Gauge("multiserver_concurrent", "Exchanges under way that hold one of the places of --max-concurrent.", float64(g.In()))
		queueMetrics(m, g.Queue, "process")
	}
	if s.cache != nil {
		cacheMetrics(m, s.cache)
		m.Counter("multiserver_cache_purges_refused_total", "PURGE requests from addresses that --purge-from does not name.", st.PurgesRefused.Load())
	}
	s.headers.metrics(m)
	s.tlsMetrics(m)
	s.http3.metrics(m)
	s.upstreamMetrics(m, s.pool.Upstreams())
	memberMetrics(m, &s.members.Stats)
}

// queueMetrics are of those who wait for a place in the process, or at the
// upstreams.
func queueMetrics(m *admin.Metrics, q *pool.Queue, at string) {
	m.Gauge("multiserver_queue_waiting", "Exchanges that wait for a place.", float64(q.Waiting()), "queue", at)
	m.Counter("multiserver_queue_waited_total", "Exchanges that had to wait for a place.", q.Stats.Waited.Load(), "queue", at)
	for _, refused := range []struct {
		reason pool.Reason
		n      uint64
	}{
		{pool.QueueFull, q.Stats.Full.Load()},
		{pool.QueueLate, q.Stats.Late.Load()},
		{pool.Left, q.Stats.Gone.Load()},
	} {
		m.Counter("multiserver_queue_refused_total", "Exchanges that got no place, by reason.",
			refused.n, "queue", at, "reason", refused.reason.String())
	}
}

func memberMetrics(m *admin.Metrics, st *discover.Stats) {
	m.Counter("multiserver_lookups_total", "Look-ups of upstreams' names.", st.Lookups.Load())
	for r := range st.Failures {
		m.Counter("multiserver_lookup_failures_total", "Look-ups that gave nothing, by reason.",
			st.Failures[r].Load(), "reason", discover.Reason(r).String())
	}
	m.Counter("multiserver_member_changes_total", "Times that look-ups changed an upstream's members.", st.Changes.Load())
	m.Gauge("multiserver_stale_upstreams", "Upstreams that live on an old answer of DNS.", float64(st.Stale.Load()))
}

func (s *Server) upstreamMetrics(m *admin.Metrics, ups []*pool.Upstream) {
	queueMetrics(m, s.pool.Queue(), "upstreams")
	queueMetrics(m, s.pool.Second(), "retries")
	for _, u := range ups {
		name := u.Name()
		m.Gauge("multiserver_upstream_up", "Whether requests are sent there.", flag(!u.Down()), "upstream", name)
		m.Gauge("multiserver_upstream_ejected", "Whether it is out for having failed too often.", flag(u.Ejected()), "upstream", name)
		m.Gauge("multiserver_upstream_failing", "Whether it fails its checks.", flag(u.Failing()), "upstream", name)
		m.Gauge("multiserver_upstream_drained", "Whether it is to get no more requests.", flag(u.Drained()), "upstream", name)
		m.Gauge("multiserver_upstream_load", "Exchanges under way.", float64(u.Load()), "upstream", name)
		m.Gauge("multiserver_upstream_idle", "Connections kept.", float64(u.Idle()), "upstream", name)
		m.Gauge("multiserver_upstream_latency_seconds", "Average time to an answer, where it is measured.", u.Latency().Seconds(), "upstream", name)
		m.Counter("multiserver_upstream_requests_total", "Tries.", u.Stats.Picked.Load(), "upstream", name)
		m.Counter("multiserver_upstream_dialed_total", "Connections made.", u.Stats.Dialed.Load(), "upstream", name)
		for r := range u.Stats.Ejected {
			m.Counter("multiserver_upstream_ejections_total", "Times it was put out for failing, by the last failure.",
				u.Stats.Ejected[r].Load(), "upstream", name, "reason", pool.Reason(r).String())
		}
		for r := range u.Stats.Faults {
			m.Counter("multiserver_upstream_faults_total", "Failed tries by reason.",
				u.Stats.Faults[r].Load(), "upstream", name, "reason", pool.Reason(r).String())
		}
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
