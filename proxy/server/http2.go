package server

import (
	"multiserver/proxy/admin"
	"multiserver/proxy/edge"
)

func http2Metrics(m *admin.Metrics, st *edge.Stats) {
	for r := range st.Resets {
		m.Counter("multiserver_http2_resets_total", "HTTP/2 streams that were reset, by why.",
			st.Resets[r].Load(), "reason", edge.Reset(r).String())
	}
	for e := range st.Endings {
		m.Counter("multiserver_http2_endings_total", "HTTP/2 connections that ended, by why.",
			st.Endings[e].Load(), "reason", edge.Ending(e).String())
	}
}
