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
}

// defaultScenarios are the ones that the targets are set on.
const defaultScenarios = "forward-1k-c64,forward-1k-c256,forward-100k-c64,forward-1m-c64"

var scenarioName = regexp.MustCompile(`^(forward|post)-([0-9]+[km]?)-c([0-9]+)$`)

// parseScenarios reads a list of names. The names are the parameters: forward-SIZE-cN fetches
// an answer of SIZE over N connections, post-SIZE-cN sends a body of SIZE for 1 KiB back.
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
		return Scenario{}, fmt.Errorf("scenario %q: want forward-SIZE-cN or post-SIZE-cN, such as forward-1k-c64 or post-16k-c64", name)
	}
	conns, err := strconv.Atoi(m[3])
	if err != nil || conns < 1 || conns > 4000 {
		return Scenario{}, fmt.Errorf("scenario %q: want 1 to 4000 connections", name)
	}
	size, err := parseSize(m[2])
	if err != nil || size > 64<<20 {
		return Scenario{}, fmt.Errorf("scenario %q: want a size of at most 64m", name)
	}
	if m[1] == "post" {
		return Scenario{Name: name, Method: "POST", Path: "/1k", Body: size, Conns: conns}, nil
	}
	return Scenario{Name: name, Method: "GET", Path: "/" + m[2], Conns: conns}, nil
}

func parseSize(s string) (int, error) {
	unit := 1
	switch s[len(s)-1] {
	case 'k':
		unit = 1 << 10
	case 'm':
		unit = 1 << 20
	}
	n, err := strconv.Atoi(strings.TrimRight(s, "km"))
	return n * unit, err
}

// Question says in words what the scenario asks.
func (s Scenario) Question() string {
	if s.Body > 0 {
		return fmt.Sprintf("%s: what does it cost to pass on a POST of %d bytes, over %d connections?", s.Name, s.Body, s.Conns)
	}
	return fmt.Sprintf("%s: what does it cost to pass on an answer of %s, over %d connections?", s.Name, s.Path[1:], s.Conns)
}
