package admin

import (
	"time"

	"github.com/valyala/fasthttp"
)

// StateVersion is of the form of GET /api/state. What is there keeps its name,
// type and unit while the version stays; more may come beside it.
const StateVersion = 1

// State is all that the dashboard shows, and GET /api/state sends. Whatever
// counts only grows while the process lives: rates are differences of two.
type State struct {
	Version int       `json:"version"` // StateVersion; filled in here
	Build   Build     `json:"build"`   // filled in here
	Time    time.Time `json:"time"`    // filled in here
	Started time.Time `json:"started"` // filled in here
	Ready   bool      `json:"ready"`   // filled in here

	Clients   int64     `json:"clients"` // connections open
	Tunnels   int64     `json:"tunnels"` // WebSockets open
	InFlight  int64     `json:"in_flight"`
	Requests  Classes   `json:"requests"`
	Bounds    []float64 `json:"bounds"`    // of all durations' buckets, in seconds
	Durations []uint64  `json:"durations"` // exchanges by bucket; the last: beyond all bounds
	Retries   uint64    `json:"retries"`
	Refused   uint64    `json:"refused"` // for breaking HTTP's rules

	Queue  *Queue  `json:"queue"` // for a place in the process; null: there is no limit
	Routes []Route `json:"routes"`
	Pools  []Pool  `json:"pools"`

	Spawn  any     `json:"spawn"`  // as GET /api/spawn; null: there are no processes
	Cache  any     `json:"cache"`  // as GET /cache; null: there is none
	Panels []Panel `json:"panels"` // of whatever else has something to show
}

// Build is what runs.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
}

// Classes count exchanges by the first digit of their status.
type Classes struct {
	None uint64 `json:"none"` // ended without an answer
	C1   uint64 `json:"1xx"`
	C2   uint64 `json:"2xx"`
	C3   uint64 `json:"3xx"`
	C4   uint64 `json:"4xx"`
	C5   uint64 `json:"5xx"`
}

// Queue is who waits for a place.
type Queue struct {
	Waiting int64  `json:"waiting"`
	Waited  uint64 `json:"waited"`
	Refused uint64 `json:"refused"`
}

// Route is what came by one. Tunnels are not counted.
type Route struct {
	Name      string   `json:"name"`
	Requests  Classes  `json:"requests"`
	Durations []uint64 `json:"durations"`
	Seconds   float64  `json:"seconds"` // of all of them
}

// Pool is where requests are sent to.
type Pool struct {
	Name      string     `json:"name"`
	Balance   string     `json:"balance"`
	Queue     Queue      `json:"queue"`
	Waits     []uint64   `json:"waits"`   // tries by how long the answer's head took, in the buckets of State.Bounds
	Seconds   float64    `json:"seconds"` // of all of them
	Upstreams []Upstream `json:"upstreams"`
}

// Upstream is one place that answers.
type Upstream struct {
	Name     string  `json:"name"`
	Health   string  `json:"health"` // up, drained, failing (its checks), ejected (for failures) or down
	Drained  bool    `json:"drained"`
	Weight   uint32  `json:"weight"`
	Backup   bool    `json:"backup"`
	Max      int     `json:"max"` // exchanges at once; 0: no limit
	Load     int64   `json:"load"`
	Idle     int     `json:"idle"`    // connections kept
	Latency  float64 `json:"latency"` // average, in seconds, where the balance measures it; else 0
	Requests uint64  `json:"requests"`
	Faults   uint64  `json:"faults"`
}

// Panel is a box of figures on the dashboard.
type Panel struct {
	Title   string   `json:"title"`
	Figures []Figure `json:"figures"`
}

// Figure is a line of a Panel.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Kind  string  `json:"kind"` // how it is shown: "count", "rate" (of something that only grows, per second), "bytes", "seconds", "flag" (1: fine)
}

// live is a State of this moment.
func (a *Admin) live() any {
	s := a.state()
	s.Version, s.Time, s.Started = StateVersion, time.Now(), a.began
	s.Build.Version, s.Build.Revision = build()
	s.Ready = a.ready == nil || a.ready()
	if a.spawn != nil {
		s.Spawn = a.spawn.Status()
	}
	if a.cache != nil {
		s.Cache = a.cache()
	}
	return s
}

// states are GET /api/state, and GET /api/live: one each second.
func (a *Admin) states(ctx *fasthttp.RequestCtx, path string) bool {
	switch {
	case path != "/api/state" && path != "/api/live":
		return false
	case a.state == nil:
		mistake(ctx, fasthttp.StatusNotFound, errNoState)
	case !ctx.IsGet() && !ctx.IsHead():
		notFor(ctx, "GET, HEAD")
	case path == "/api/state":
		ctx.Response.Header.Set("Cache-Control", "no-store")
		asJSON(ctx, fasthttp.StatusOK, a.live())
	case ctx.IsGet():
		a.stream(ctx, a.tick)
	}
	return true
}
