package admin

import (
	"errors"

	"github.com/valyala/fasthttp"
)

// upgrade is POST /api/upgrade.
func (a *Admin) upgrade(ctx *fasthttp.RequestCtx) {
	switch {
	case a.upgrades == nil:
		mistake(ctx, fasthttp.StatusNotFound, errors.New("this process cannot be replaced"))
	case !ctx.IsPost():
		ctx.Response.Header.Set("Allow", "POST")
		mistake(ctx, fasthttp.StatusMethodNotAllowed, errors.New("want POST"))
	case !isJSON(ctx.Request.Header.ContentType()):
		mistake(ctx, fasthttp.StatusUnsupportedMediaType, errors.New("want Content-Type: application/json"))
	default:
		answer, status, err := a.upgrades()
		if err != nil {
			mistake(ctx, status, err)
			return
		}
		asJSON(ctx, status, answer)
	}
}
