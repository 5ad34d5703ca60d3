package cli

import (
	"regexp"
	"strings"
	"testing"
)

func TestABackupServesOnlyWhileNoOtherCan(t *testing.T) {
	t.Parallel()
	app, backup := newMember(t, "app"), newMember(t, "backup")
	_, url := front(t, "--upstream "+app.URL+" --upstream "+backup.URL+";backup")
	only(t, url, "app")
	if got := backup.seen(); got != "" {
		t.Errorf("the backup was asked for %s", got)
	}
	app.kill()
	for range 8 {
		if r := ask(t, url); r.status != 200 || r.body != "backup" {
			t.Errorf("%d %s, want the backup", r.status, r.body)
		}
	}
	app.revive(t)
	only(t, url, "app")
}

func TestChecksTakeAnUpstreamOutAndBringItBack(t *testing.T) {
	t.Parallel()
	a, b := newMember(t, "a"), newMember(t, "b")
	s, url := front(t, "--health-path /healthz --health-interval 20ms --health-rise 2 --health-fall 2 --upstream "+a.URL+" --upstream "+b.URL)
	a.sick.Store(true)
	s.logs(regexp.MustCompile(`level=WARN msg="upstream fails its checks" upstream=` + a.URL + ` cause=.*500`))
	s.metric(`multiserver_upstream_up{pool="default",upstream="` + a.URL + `"} 0`)
	only(t, url, "b")
	a.sick.Store(false)
	s.logs(regexp.MustCompile(`msg="upstream passes its checks" upstream=` + a.URL))
	s.metric(`multiserver_upstream_up{pool="default",upstream="` + a.URL + `"} 1`)
	turns(t, url)
}

func TestChecksWithoutAPathConnect(t *testing.T) {
	t.Parallel()
	a, b := newMember(t, "a"), newMember(t, "b")
	s, url := front(t, "--health-interval 20ms --upstream "+a.URL+" --upstream "+b.URL)
	a.kill()
	s.logs(regexp.MustCompile(`msg="upstream fails its checks" upstream=` + a.URL))
	only(t, url, "b")
	if got := b.seen(); strings.Contains(got, "healthz") {
		t.Errorf("b was asked for %s", got)
	}
	a.revive(t)
	s.logs(regexp.MustCompile(`msg="upstream passes its checks" upstream=` + a.URL))
	turns(t, url)
}

func TestFailuresInARowPutAnUpstreamOutForAWhile(t *testing.T) {
	t.Parallel()
	a, b := newMember(t, "a"), newMember(t, "b")
	s, url := front(t, "--max-fails 3 --fail-timeout 300ms --upstream "+a.URL+" --upstream "+b.URL)
	a.sick.Store(true)
	failed := 0
	for range 6 {
		if ask(t, url+"/work").status == 500 {
			failed++
		}
	}
	s.logs(regexp.MustCompile(`msg="upstream ejected" upstream=` + a.URL + ` reason=bad-status`))
	if failed != 2 { // the third puts it out, and is not passed on
		t.Errorf("%d answers of 500, want 2", failed)
	}
	a.sick.Store(false)
	s.logs(regexp.MustCompile(`msg="upstream back" upstream=` + a.URL))
	turns(t, url)
	s.metric(`multiserver_upstream_faults_total{pool="default",upstream="` + a.URL + `",reason="bad-status"} 3`)
}

func TestMaxFailsOfZeroPutsNobodyOut(t *testing.T) {
	t.Parallel()
	a, b := newMember(t, "a"), newMember(t, "b")
	s, url := front(t, "--max-fails 0 --upstream "+a.URL+" --upstream "+b.URL)
	a.sick.Store(true)
	for range 20 {
		ask(t, url+"/work")
	}
	s.metric(`multiserver_upstream_faults_total{pool="default",upstream="` + a.URL + `",reason="bad-status"} 10`)
	s.metric(`multiserver_upstream_up{pool="default",upstream="` + a.URL + `"} 1`)
}

// turns asks a and b, and both are to answer.
func turns(t *testing.T, url string) {
	t.Helper()
	got := ""
	for range 4 {
		got += ask(t, url).body
	}
	if got != "abab" && got != "baba" {
		t.Errorf("turns are %s", got)
	}
}
