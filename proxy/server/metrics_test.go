package server

import (
	"strings"
	"testing"

	"multiserver/proxy/admin"
)

func TestMetricsOfThePool(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--max-concurrent 7")
	s.dial(t).want("/", "200 hello")
	s.dial(t).want("/", "200 hello")
	f := func(line string) {
		t.Helper()
		page := ""
		await(t, line, func() bool {
			var m admin.Metrics
			s.metrics(&m)
			page = string(m.Append(nil))
			return strings.Contains(page, "\n"+line+"\n")
		})
	}
	f(`multiserver_requests_total{class="2xx"} 2`)
	f(`multiserver_concurrent 0`)
	f(`multiserver_queue_waiting{queue="process"} 0`)
	f(`multiserver_queue_waited_total{queue="process"} 0`)
	for _, reason := range []string{"queue-full", "queue-timeout", "client-left"} {
		f(`multiserver_queue_refused_total{queue="process",reason="` + reason + `"} 0`)
	}
	f(`multiserver_retries_total{reason="broken"} 0`)
	f(`multiserver_retries_refused_total 0`)
	f(`multiserver_upstream_up{pool="default",upstream="` + a.URL + `"} 1`)
	f(`multiserver_upstream_load{pool="default",upstream="` + a.URL + `"} 0`)
	f(`multiserver_upstream_requests_total{pool="default",upstream="` + a.URL + `"} 2`)
	f(`multiserver_upstream_faults_total{pool="default",upstream="` + a.URL + `",reason="bad-status"} 0`)
	for _, reason := range []string{"timeout", "not-found", "other"} {
		f(`multiserver_lookup_failures_total{pool="default",reason="` + reason + `"} 0`)
	}
	f(`multiserver_lookups_total{pool="default"} 0`)
	f(`multiserver_member_changes_total{pool="default"} 0`)
	f(`multiserver_stale_upstreams{pool="default"} 0`)
}
