package admin

import (
	"errors"

	"github.com/valyala/fasthttp"
)

// whole takes what is asked of the server as a whole. It tells whether the path
// was one of these.
func (a *Admin) whole(ctx *fasthttp.RequestCtx, path string) bool {
	switch path {
	case "/api/reload":
		told(ctx, a.reloads, "this server has no configuration to read again")
	case "/api/upgrade":
		told(ctx, a.upgrades, "this process cannot be replaced")
	default:
		return false
	}
	return true
}

// told is a POST without a body to speak of. What it asks of the Content-Type keeps
// pages in a browser of this machine out. never is why there is no do.
func told(ctx *fasthttp.RequestCtx, do func() (answer any, status int, err error), never string) {
	switch {
	case do == nil:
		mistake(ctx, fasthttp.StatusNotFound, errors.New(never))
	case !ctx.IsPost():
		notFor(ctx, "POST")
	case !isJSON(ctx.Request.Header.ContentType()):
		mistake(ctx, fasthttp.StatusUnsupportedMediaType, errNotJSON)
	default:
		answer, status, err := do()
		if err != nil {
			mistake(ctx, status, err)
			return
		}
		asJSON(ctx, status, answer)
	}
}
