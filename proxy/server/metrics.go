package server

import (
	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/admin"
)

// metrics renders the counters of all rooms.
func (s *Server) metrics(m *admin.Metrics) {
	st := &s.proxy.Stats
	m.Gauge("multiserver_clients", "Client connections open.", float64(st.Clients.Load()))
	m.Counter("multiserver_clients_refused_total", "Connections refused, as many as allowed were open.", s.crowd.refused.Load())
	m.Counter("multiserver_accept_failures_total", "Times that no connection could be taken, for want of descriptors or memory; who connects waits.", s.crowd.starved.Load())
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
	for i := range st.Spoken {
		m.Counter("multiserver_protocol_requests_total", "Exchanges by what the client speaks.", st.Spoken[i].Load(), "protocol", proxy.Protocol(i).String())
	}
	m.Counter("multiserver_refused_total", "Requests refused for breaking the rules of HTTP.", st.Refused.Load())
	for r := range st.Retries {
		m.Counter("multiserver_retries_total", "Tries after the first, by why the one before failed.",
			st.Retries[r].Load(), "reason", pool.Reason(r).String())
	}
	m.Counter("multiserver_retries_refused_total", "Tries that would have been safe, but too many were tried again already.", st.Spent.Load())
	m.Counter("multiserver_panics_total", "Bugs that were survived.", st.Panics.Load())
	s.trafficMetrics(m)
	filterMetrics(m)
	if g := s.gate; g != nil {
		m.Gauge("multiserver_concurrent", "Exchanges under way that hold one of the places of --max-concurrent.", float64(g.In()))
		queueMetrics(m, g.Queue, "queue", "process")
	}
	if s.cache != nil {
		cacheMetrics(m, s.cache)
		m.Counter("multiserver_cache_purges_refused_total", "PURGE requests from addresses that --purge-from does not name.", st.PurgesRefused.Load())
	}
	s.sessions.metrics(m)
	s.hub.Load().metrics(m)
	s.headers.metrics(m)
	s.tlsMetrics(m)
	http2Metrics(m, &s.edge.Stats)
	s.http3.metrics(m)
	s.reloads.metrics(m)
	for _, g := range s.groups() {
		g.metrics(m)
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
