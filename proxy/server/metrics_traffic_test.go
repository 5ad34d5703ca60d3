package server

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"multiserver/proxy"
	"multiserver/proxy/admin"
	"multiserver/proxy/config"
)

func TestMetricsOfRoutesAndPools(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--admin 127.0.0.1:0", "--access-log "+t.TempDir()+"/log")
	s.dial(t).want("/", "200 hello")
	f := func(line string) {
		t.Helper()
		await(t, line, func() bool { return strings.Contains(scrape(s), "\n"+line) })
	}
	f(`multiserver_request_duration_seconds_count{route="default"} 1` + "\n")
	f(`multiserver_request_duration_seconds_bucket{route="default",le="60"} `)
	f(`multiserver_route_requests_total{route="default",class="2xx"} 1` + "\n")
	f(`multiserver_upstream_wait_seconds_count{pool="default"} 1` + "\n")
	f(`multiserver_requests_in_flight 0` + "\n")
	for _, reason := range []string{"full", "failed", "late"} {
		f(`multiserver_log_dropped_total{reason="` + reason + `"} 0` + "\n")
	}
}

func scrape(s *running) string {
	var m admin.Metrics
	s.metrics(&m)
	return string(m.Append(nil))
}

// The dashboard asks for nothing that there is not.
func TestDashboardKnowsOurMetrics(t *testing.T) {
	page, err := os.ReadFile("../../scripts/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(page) {
		t.Fatal("scripts/grafana.json is no JSON")
	}
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--admin 127.0.0.1:0", "--cache 64MiB", "--access-log "+t.TempDir()+"/log")
	s.dial(t).want("/", "200 hello")
	await(t, "a route's first request", func() bool { return strings.Contains(scrape(s), `duration_seconds_count{route="default"} 1`) })
	have := scrape(s)
	for _, name := range regexp.MustCompile(`multiserver_[a-z_]+`).FindAllString(string(page), -1) {
		if !strings.Contains(have, "\n"+name+"{") && !strings.Contains(have, "\n"+name+" ") {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestConfigKnowsTheLogsFields(t *testing.T) {
	usage := config.Lookup("access-log-fields").Usage
	for _, name := range proxy.LogFields() {
		if !strings.Contains(usage, "`"+name+"`") {
			t.Errorf("--access-log-fields does not take %s", name)
		}
	}
	_, list, _ := strings.Cut(usage, "`")
	named := regexp.MustCompile("[a-z]+:?").FindAllString(list[:strings.LastIndex(list, "`")], -1)
	for _, name := range named {
		if !slices.Contains(proxy.LogFields(), name) {
			t.Errorf("--access-log-fields takes %s, which there is not", name)
		}
	}
}
