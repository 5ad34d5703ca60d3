//go:build linux

package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Scenario is one question put to every server: what load, over how many connections.
type Scenario struct {
	Name   string
	Method string
	Path   string // ends in the size of the answer's body, which the origin obeys
	Body   int    // bytes of each request's body
	Conns  int    // kept-alive client connections, each with one request under way
	Stored bool   // every server has a cache, and the answers in it before it is measured
	Large  bool   // the answers are longer than what peers send by copying
	URLs   int    // that are asked for in turn, each Path below a number of its own; at most 1: Path alone
	Miss   int    // of stored answers: one request in so many is for one that nobody has asked for yet; 0: none
}

// defaultScenarios are the ones that the targets are set on.
const defaultScenarios = "forward-1k-c64,forward-1k-c256,forward-100k-c64,forward-1m-c64"

var scenarioName = regexp.MustCompile(`^(forward|post|hit|mixed)-([0-9]+[kmg]?)-c([0-9]+)(?:-u([0-9]+))?$`)

// missEvery is a mixed load's: 80 % hits.
const missEvery = 5

// parseScenarios reads a list of names. The names are the parameters: forward-SIZE-cN fetches
// an answer of SIZE over N connections, post-SIZE-cN sends a body of SIZE for 1 KiB back,
// hit-SIZE-cN fetches stored answers, in mixed-SIZE-cN each fifth is not stored yet; -uM at the end
// asks for M URLs in turn.
func parseScenarios(list string) ([]Scenario, error) {
	var all []Scenario
	for _, name := range strings.Split(list, ",") {
		s, err := parseScenario(strings.TrimSpace(name))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func parseScenario(name string) (Scenario, error) {
	m := scenarioName.FindStringSubmatch(name)
	if m == nil {
		return Scenario{}, fmt.Errorf("scenario %q: want forward-SIZE-cN, post-SIZE-cN, hit-SIZE-cN or mixed-SIZE-cN, each but post with -uURLS behind it or not, such as forward-1k-c64 or post-16k-c64", name)
	}
	conns, err := strconv.Atoi(m[3])
	if err != nil || conns < 1 || conns > 10_000 {
		return Scenario{}, fmt.Errorf("scenario %q: want 1 to 10000 connections", name)
	}
	size, err := parseSize(m[2])
	if err != nil || size > 1<<30 {
		return Scenario{}, fmt.Errorf("scenario %q: want a size of at most 1g", name)
	}
	stored := m[1] == "hit" || m[1] == "mixed"
	urls, err := parseURLs(m[4])
	if err != nil || m[4] != "" && m[1] == "post" {
		return Scenario{}, fmt.Errorf("scenario %q: want 2 to 1000000 URLs, and none for POST", name)
	}
	if m[1] == "post" {
		return Scenario{Name: name, Method: "POST", Path: "/1k", Body: size, Conns: conns, URLs: 1}, nil
	}
	if !stored {
		return Scenario{Name: name, Method: "GET", Path: "/" + m[2], Conns: conns, URLs: urls}, nil
	}
	s := Scenario{Name: name, Method: "GET", Path: "/keep/" + m[2], Conns: conns, Stored: true, Large: size >= 64<<10, URLs: urls}
	if m[1] == "mixed" {
		s.Miss = missEvery
	}
	return s, nil
}

func parseURLs(s string) (int, error) {
	if s == "" {
		return 1, nil
	}
	n, err := strconv.Atoi(s)
	if err == nil && (n < 2 || n > 1_000_000) {
		err = strconv.ErrRange
	}
	return n, err
}

// path is the one of URL i, as wrk.lua has them too.
func (s *Scenario) path(i int) string {
	if s.URLs <= 1 {
		return s.Path
	}
	last := strings.LastIndexByte(s.Path, '/')
	return fmt.Sprintf("%s/%d%s", s.Path[:last], i, s.Path[last:])
}

func parseSize(s string) (int, error) {
	unit := 1
	switch s[len(s)-1] {
	case 'k':
		unit = 1 << 10
	case 'm':
		unit = 1 << 20
	case 'g':
		unit = 1 << 30
	}
	n, err := strconv.Atoi(strings.TrimRight(s, "kmg"))
	return n * unit, err
}

// Question says in words what the scenario asks.
func (s Scenario) Question() string {
	if s.Body > 0 {
		return fmt.Sprintf("%s: what does it cost to pass on a POST of %d bytes, over %d connections?", s.Name, s.Body, s.Conns)
	}
	if s.Miss > 0 {
		return fmt.Sprintf("%s: what does it cost if of answers of %s, over %d connections, one in %d is not stored yet?", s.Name, s.Path[len("/keep/"):], s.Conns, s.Miss)
	}
	if s.Stored {
		return fmt.Sprintf("%s: what does it cost to give a stored answer of %s, one of %d, over %d connections?", s.Name, s.Path[len("/keep/"):], s.URLs, s.Conns)
	}
	return fmt.Sprintf("%s: what does it cost to pass on an answer of %s, over %d connections?", s.Name, s.Path[1:], s.Conns)
}
