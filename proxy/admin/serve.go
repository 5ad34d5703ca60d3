package admin

import (
	"runtime/debug"
	"strings"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/pprofhandler"
)

const index = `/               the dashboard, in a browser
/healthz        200 while this process lives
/readyz         200 if clients should be sent here, 503 if not
/metrics        counters, as Prometheus reads them
/cache          the cache's figures
/cache/purge    POST {"url":"http://example.org/"}, or a prefix, a tag, tags, "all":true; "soft":true
/api/reload     POST: the configuration is read again
/api/upgrade    POST: a new process takes the place of this one
/api/spawn      the app's processes; POST /api/spawn/restart: a rolling restart; POST /api/spawn/scale {"instances":4}
/api/events     what happens to them, as it happens (server-sent events)
/api/sessions/ID a session's data, by the id that upstreams know; DELETE: it ends
/api/state      all that the dashboard shows; /api/live: the same each second (server-sent events)
/api/history    the last ten minutes of its charts
/api/publish    POST ?channel=C and a message; or {"items":[…]}, as Pushpin has it
/api/channels   members of each; /api/channels/C: who they are; DELETE ends them
/api/connections/ID  GET, POST a message, DELETE; PUT, DELETE …/channels/C: makes it a member, ends that
/api/pools/POOL/upstreams/NAME/drain
                POST: it gets no more requests; undrain: it does again; weight {"weight":3}: its share
/debug/pprof/   profiles: go tool pprof http://HERE/debug/pprof/profile?seconds=5
`

func (a *Admin) serve(ctx *fasthttp.RequestCtx) {
	// fasthttp does not recover: without this a page's mistake would take
	// every client's connection with it.
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("admin page panicked", "path", string(ctx.Path()), "panic", p, "stack", string(debug.Stack()))
			ctx.Error("500 internal error\n", fasthttp.StatusInternalServerError)
		}
	}()
	protect(&ctx.Response.Header)
	if a.admit(ctx) {
		a.page(ctx)
	}
}

func (a *Admin) page(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	if path == "/cache/purge" {
		a.purge(ctx)
		return
	}
	if a.whole(ctx, path) || a.shell(ctx, path) || a.states(ctx, path) || a.past(ctx, path) || a.upstream(ctx) || a.processes(ctx, path) || a.session(ctx, path) || a.hubPage(ctx, path) {
		return
	}
	symbols := path == "/debug/pprof/symbol" // go tool pprof posts addresses there
	if !ctx.IsGet() && !ctx.IsHead() && !(symbols && ctx.IsPost()) {
		ctx.Error("405 these pages are read with GET\n", fasthttp.StatusMethodNotAllowed)
		ctx.Response.Header.Set("Allow", "GET, HEAD")
		return
	}
	switch {
	case path == "/":
		text(ctx, fasthttp.StatusOK, index)
	case path == "/healthz":
		text(ctx, fasthttp.StatusOK, "ok\n")
	case path == "/readyz":
		a.readyz(ctx)
	case path == "/metrics":
		a.scrape(ctx)
	case path == "/cache":
		a.figures(ctx)
	case path == "/debug/pprof":
		ctx.Redirect("/debug/pprof/", fasthttp.StatusMovedPermanently)
	case path == "/debug/pprof/":
		profileIndex(ctx)
	case strings.HasPrefix(path, "/debug/pprof/"):
		pprofhandler.PprofHandler(ctx)
	default:
		text(ctx, fasthttp.StatusNotFound, "404 no such page; there are:\n"+index)
	}
}

func (a *Admin) readyz(ctx *fasthttp.RequestCtx) {
	if a.ready != nil && !a.ready() {
		text(ctx, fasthttp.StatusServiceUnavailable, "not ready\n")
		return
	}
	text(ctx, fasthttp.StatusOK, "ready\n")
}

func (a *Admin) scrape(ctx *fasthttp.RequestCtx) {
	var m Metrics
	if a.metrics != nil {
		a.metrics(&m)
	}
	a.guard.metrics(&m)
	built(&m)
	ctx.SetContentType("text/plain; version=0.0.4; charset=utf-8")
	ctx.SetBody(m.Append(nil))
	writeProcess(ctx)
}

func text(ctx *fasthttp.RequestCtx, status int, body string) {
	ctx.SetStatusCode(status)
	ctx.SetContentType("text/plain; charset=utf-8")
	ctx.SetBodyString(body)
}
