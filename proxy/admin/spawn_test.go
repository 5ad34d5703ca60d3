package admin

import (
	"context"
	"errors"
	"testing"
)

func TestPagesOfProcesses(t *testing.T) {
	none := start(t, Options{})
	for _, path := range []string{"/api/spawn", "/api/spawn/scale", "/api/spawn/restart", "/api/events"} {
		none.want("GET", path, 404, "--spawn N")
	}
	a := start(t, Options{Spawn: &Spawn{
		Status:  func() any { return "fine" },
		Restart: func(context.Context, string) (any, int, error) { return nil, 409, errors.New("under way") },
		Scale:   func(string, int) (any, int, error) { return "scaled", 0, nil },
	}})
	a.want("GET", "/api/spawn", 200, `"fine"`)
	a.want("GET", "/api/spawn/scale", 200, `"fine"`)
	a.want("GET", "/api/spawn/restart", 405, "not for GET")
	a.want("POST", "/api/spawn", 405, "not for POST")
	a.want("POST", "/api/events", 405, "not for POST")
	a.want("POST", "/api/spawn/restart", 415, "application/json")
}
