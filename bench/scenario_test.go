//go:build linux

package main

import "testing"

func TestScenarioNamesAreTheirParameters(t *testing.T) {
	f := func(name string, want Scenario) {
		t.Helper()
		want.Name = name
		got, err := parseScenario(name)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	f("forward-1k-c64", Scenario{Method: "GET", Path: "/1k", Conns: 64, URLs: 1})
	f("forward-1m-c1", Scenario{Method: "GET", Path: "/1m", Conns: 1, URLs: 1})
	f("forward-0-c2000", Scenario{Method: "GET", Path: "/0", Conns: 2000, URLs: 1})
	f("post-16k-c64", Scenario{Method: "POST", Path: "/1k", Body: 16 << 10, Conns: 64, URLs: 1})
	f("hit-1k-c64", Scenario{Method: "GET", Path: "/keep/1k", Conns: 64, Stored: true, URLs: 1})
	f("hit-1k-c64-u10000", Scenario{Method: "GET", Path: "/keep/1k", Conns: 64, Stored: true, URLs: 10000})
	f("hit-100k-c64", Scenario{Method: "GET", Path: "/keep/100k", Conns: 64, Stored: true, Large: true, URLs: 1})

	f("hit-64k-c64", Scenario{Method: "GET", Path: "/keep/64k", Conns: 64, Stored: true, Large: true, URLs: 1})
	f("mixed-1k-c64", Scenario{Method: "GET", Path: "/keep/1k", Conns: 64, Stored: true, URLs: 1, Miss: 5})
	f("forward-1g-c4", Scenario{Method: "GET", Path: "/1g", Conns: 4, URLs: 1})

	for _, name := range []string{"", "forward", "forward-1k", "forward-2g-c1", "forward-1k-c0", "forward-1k-c10001", "hit-1k", "hit-1k-c64-u0", "hit-1k-c64-u1", "hit-1k-c64-u1000001", "post-1k-c64-u2", "stale-1k-c64"} {
		if s, err := parseScenario(name); err == nil {
			t.Errorf("%q: %+v and no error", name, s)
		}
	}
	s, _ := parseScenario("forward-1k-c64-u7")
	if got := s.path(3); got != "/3/1k" {
		t.Errorf("URL 3 is %s", got)
	}
	s, _ = parseScenario("hit-1k-c64-u7")
	if got := s.path(3); got != "/keep/3/1k" {
		t.Errorf("URL 3 is %s", got)
	}
	if all, err := parseScenarios(defaultScenarios); err != nil || len(all) != 4 {
		t.Errorf("the default: %v, %v", all, err)
	}
}
