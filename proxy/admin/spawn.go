package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"
)

// Spawn is what the pages about an app's processes ask. A status of 0 is 200;
// with another one err is told.
type Spawn struct {
	Status  func() any                                                                 // of all pools
	Restart func(ctx context.Context, pool string) (answer any, status int, err error) // waits for the end of a roll
	Scale   func(pool string, instances int) (answer any, status int, err error)

	// Listen begins to hear of events; next waits for one until ctx is done.
	Listen func() (next func(ctx context.Context) (Event, bool), end func())
}

// processOrder is the body of a POST below /api/spawn. Pool may be left out
// where only one has processes.
type processOrder struct {
	Pool      string `json:"pool"`
	Instances int    `json:"instances"`
}

var errNoProcesses = errors.New("there are no processes: the server was started without --spawn N -- command")

// processes are the pages below /api/spawn, and the events. It tells whether
// the path was one of them.
func (a *Admin) processes(ctx *fasthttp.RequestCtx, path string) bool {
	var do func(o processOrder) (any, int, error)
	read := func() any { return a.spawn.Status() }
	switch path {
	case "/api/spawn":
	case "/api/spawn/scale":
		do = func(o processOrder) (any, int, error) { return a.spawn.Scale(o.Pool, o.Instances) }
	case "/api/spawn/restart":
		read = nil
		do = func(o processOrder) (any, int, error) { return a.spawn.Restart(a.streams.life, o.Pool) }
	case "/api/events":
		if a.spawn != nil && ctx.IsGet() {
			a.stream(ctx, a.spawn.Listen)
			return true
		}
	default:
		return false
	}
	switch {
	case a.spawn == nil:
		mistake(ctx, fasthttp.StatusNotFound, errNoProcesses)
	case ctx.IsPost() && do != nil:
		a.order(ctx, do)
	case ctx.IsGet() && read != nil:
		asJSON(ctx, fasthttp.StatusOK, read())
	default:
		mistake(ctx, fasthttp.StatusMethodNotAllowed, fmt.Errorf("%s is not for %s", path, ctx.Method()))
	}
	return true
}

// order takes one, as purge does: what it asks of the Content-Type keeps pages
// in a browser of this machine out.
func (a *Admin) order(ctx *fasthttp.RequestCtx, do func(processOrder) (any, int, error)) {
	if !isJSON(ctx.Request.Header.ContentType()) {
		mistake(ctx, fasthttp.StatusUnsupportedMediaType, errNotJSON)
		return
	}
	var o processOrder
	d := json.NewDecoder(bytes.NewReader(ctx.PostBody()))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil && len(ctx.PostBody()) > 0 {
		mistake(ctx, fasthttp.StatusBadRequest, fmt.Errorf(`body: not such a JSON object (%w), want one such as {"pool":"default","instances":4}`, err))
		return
	}
	answer, status, err := do(o)
	switch {
	case err != nil:
		mistake(ctx, status, err)
	default:
		asJSON(ctx, max(status, fasthttp.StatusOK), answer)
	}
}
