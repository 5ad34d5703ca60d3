package server

import (
	"multiserver/proxy"
	"multiserver/proxy/admin"
	"multiserver/proxy/logline"
)

// classes are those of proxy.Stats.
var classes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

// trafficMetrics are of exchanges by route and of tries by pool, of both at
// most as many as proxy.Tallies tells apart.
func (s *Server) trafficMetrics(m *admin.Metrics) {
	st := &s.proxy.Stats
	m.Gauge("multiserver_requests_in_flight", "Exchanges under way, WebSockets among them.", float64(st.UnderWay()))
	st.Routes.Each(func(route string, c proxy.Spread) {
		m.Histogram("multiserver_request_duration_seconds", "From a request's head to the end of its answer, WebSockets not counted.",
			proxy.DurationBounds, c.Counts[:], c.Sum, "route", route)
		for i, n := range c.Classes {
			if i != 1 {
				m.Counter("multiserver_route_requests_total", "Exchanges by route and class of the status.", n, "route", route, "class", classes[i])
			}
		}
	})
	st.Pools.Each(func(pool string, c proxy.Spread) {
		m.Histogram("multiserver_upstream_wait_seconds", "From a try's begin to the head of its answer, or its failure.",
			proxy.DurationBounds, c.Counts[:], c.Sum, "pool", pool)
	})
	for why, n := range s.lines.lost() {
		m.Counter("multiserver_log_dropped_total", "Access log lines that were never written, by why.", n, "reason", logline.Loss(why).String())
	}
}
