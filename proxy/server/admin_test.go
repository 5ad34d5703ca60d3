package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"multiserver/proxy/admin"
)

// ask sends to the admin listener and returns the answer, which must have the
// status.
func (r *running) ask(t *testing.T, method, path, body string, status int, into any) {
	t.Helper()
	req, err := http.NewRequest(method, "http://"+r.admin.Addr().String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s %s %s: %d %s %v, want %d", method, path, body, res.StatusCode, b, err, status)
	}
}

func (r *running) poolState(t *testing.T) admin.Pool {
	t.Helper()
	var s admin.State
	r.ask(t, "GET", "/api/state", "", 200, &s)
	if len(s.Pools) != 1 {
		t.Fatalf("pools: %+v", s.Pools)
	}
	return s.Pools[0]
}

func TestStateCountsWhatGoesBy(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL+";weight=3;max=9", "--admin 127.0.0.1:0", "--max-concurrent 7", "--cache 64MiB", "--session memory", "--hub /ws")
	s.dial(t).want("/", "200 hello")
	var got admin.State
	await(t, "the exchange in the state", func() bool {
		s.ask(t, "GET", "/api/state", "", 200, &got)
		return got.Requests.C2 == 1 && got.InFlight == 0 && slices.ContainsFunc(got.Routes, func(r admin.Route) bool {
			return r.Name == "default" && r.Requests.C2 == 1
		})
	})
	u := got.Pools[0].Upstreams[0]
	u.Idle = 0
	if want := (admin.Upstream{Name: a.URL, Health: "up", Weight: 3, Max: 9, Requests: 1}); u != want {
		t.Errorf("upstream %+v, want %+v", u, want)
	}
	if got.Version != admin.StateVersion || !got.Ready || got.Queue == nil || got.Cache == nil || got.Spawn != nil || len(got.Panels) != 2 {
		t.Errorf("state %+v", got)
	}
	if n := len(got.Bounds) + 1; len(got.Durations) != n || len(got.Routes[0].Durations) != n || len(got.Pools[0].Waits) != n {
		t.Errorf("want one bucket more than the %d bounds", n-1)
	}
}

func TestChartsHaveAMomentEachSecond(t *testing.T) {
	s := start(t, "--upstream "+newApp(t).URL, "--admin 127.0.0.1:0", "--cache 64MiB")
	s.dial(t).want("/", "200 hello")
	await(t, "the exchange in a moment", func() bool {
		var got struct{ Moments []admin.Moment }
		s.ask(t, "GET", "/api/history", "", 200, &got)
		if len(got.Moments) == 0 {
			return false
		}
		m, done := got.Moments[len(got.Moments)-1], uint64(0)
		for _, n := range m.Durations {
			done += n
		}
		return m.Requests.C2 == 1 && done == 1 && m.InFlight == 0 && m.Hits == 0 && m.Misses == 1
	})
}

func TestADrainedUpstreamGetsNoMore(t *testing.T) {
	a, b := newApp(t), newApp(t)
	s := start(t, "--upstream "+a.URL+","+b.URL, "--admin 127.0.0.1:0")
	at := "/api/pools/default/upstreams/" + url.PathEscape(a.URL)
	picked := func() (by [2]uint64) {
		for i, u := range s.poolState(t).Upstreams {
			by[i] = u.Requests
		}
		return by
	}
	var u admin.Upstream
	s.ask(t, "POST", at+"/drain", "", 200, &u)
	if u.Health != "drained" || !u.Drained {
		t.Errorf("%+v", u)
	}
	c := s.dial(t)
	for range 4 {
		c.want("/", "200 hello")
	}
	await(t, "all at the other", func() bool { return picked() == [2]uint64{0, 4} })
	s.ask(t, "POST", at+"/undrain", "{}", 200, &u)
	for range 4 {
		c.want("/", "200 hello")
	}
	await(t, "half of them back", func() bool { return picked() == [2]uint64{2, 6} })
	short := strings.TrimPrefix(a.URL, "http://")
	s.ask(t, "POST", "/api/pools/default/upstreams/"+short+"/weight", `{"weight":3}`, 200, &u)
	if u.Weight != 3 || s.poolState(t).Upstreams[0].Weight != 3 {
		t.Errorf("%+v", u)
	}
	for range 4 {
		c.want("/", "200 hello")
	}
	await(t, "three of four there", func() bool { return picked() == [2]uint64{5, 7} })

	s.ask(t, "POST", at+"/weight", `{"weight":0}`, 400, nil)
	s.ask(t, "POST", at+"/weight", `{"weight":1001}`, 400, nil)
	s.ask(t, "POST", "/api/pools/none/upstreams/x/drain", "", 404, nil)
	s.ask(t, "POST", "/api/pools/default/upstreams/x/drain", "", 404, nil)
}
