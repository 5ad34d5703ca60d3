package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// say posts JSON to path and checks the status and a part of the answer.
func (r *running) say(path, body string, status int, part string) {
	r.t.Helper()
	req, err := http.NewRequest("POST", r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	if res.StatusCode != status || !strings.Contains(string(b), part) {
		r.t.Errorf("POST %s %s: %d %s, want %d and %s", path, body, res.StatusCode, b, status, part)
	}
}

func TestUpstreamsAreDrainedAndWeighed(t *testing.T) {
	done := func(what ...any) (any, error) { return fmt.Sprint(what...), nil }
	a := start(t, Options{Upstreams: &Upstreams{
		Drain: func(pool, name string, out bool) (any, error) {
			if pool == "none" {
				return nil, fmt.Errorf("pool %q: %w", pool, ErrNoPool)
			}
			return done(pool, " ", name, " ", out)
		},
		Weigh: func(pool, name string, weight int) (any, error) {
			if weight > 1000 {
				return nil, errors.New("weight 1001: want 1 to 1000")
			}
			return done(pool, " ", name, " ", weight)
		},
	}})
	at := "/api/pools/default/upstreams/http%3A%2F%2F10.0.0.1%3A3000/"
	a.say(at+"drain", "", 200, `"default http://10.0.0.1:3000 true"`)
	a.say(at+"drain", "{}", 200, `"default http://10.0.0.1:3000 true"`)
	a.say(at+"undrain", "", 200, `"default http://10.0.0.1:3000 false"`)
	a.say(at+"weight", `{"weight":7}`, 200, `"default http://10.0.0.1:3000 7"`)
	a.say("/api/pools/a%2Fb/upstreams/10.0.0.1:3000/drain", "", 200, `"a/b 10.0.0.1:3000 true"`)
	a.say(at+"weight", `{"weight":1001}`, 400, "want 1 to 1000")
	a.say(at+"weight", ``, 400, `weight: missing`)
	a.say(at+"weight", `{"wieght":7}`, 400, `unknown field`)
	a.say(at+"weight", `{"weight":"7"}`, 400, `{\"weight\":3}`)
	a.say(at+"drain", `{"for":"ever"}`, 400, `unknown field`)
	a.say("/api/pools/none/upstreams/x/drain", "", 404, `no such pool`)
	a.say(at+"explode", "", 405, "")
	a.want("GET", at+"drain", 405, "want POST")
	a.want("POST", at+"drain", 415, "application/json")
	start(t, Options{}).say(at+"drain", "", 405, "")
}

func TestStateIsVersioned(t *testing.T) {
	a := start(t, Options{
		Ready: func() bool { return false },
		State: func() State {
			return State{Clients: 3, Pools: []Pool{{Name: "default"}}, Panels: []Panel{{Title: "Hub"}}}
		},
		Cache: func() any { return map[string]int{"entries": 7} },
	})
	var s State
	if err := json.Unmarshal([]byte(a.want("GET", "/api/state", 200, `"cache":{"entries":7}`)), &s); err != nil {
		t.Fatal(err)
	}
	if s.Version != StateVersion || s.Clients != 3 || s.Ready || s.Pools[0].Name != "default" || s.Panels[0].Title != "Hub" || s.Started.IsZero() || s.Time.Before(s.Started) {
		t.Errorf("%+v", s)
	}
	a.want("HEAD", "/api/state", 200, "")
	a.want("POST", "/api/state", 405, "want GET")
	start(t, Options{}).want("GET", "/api/state", 404, "nothing of its state")
}
