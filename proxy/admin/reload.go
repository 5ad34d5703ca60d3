package admin

import (
	"errors"

	"github.com/valyala/fasthttp"
)

// reload is POST /api/reload. What it asks of the Content-Type keeps pages in a
// browser of this machine out.
func (a *Admin) reload(ctx *fasthttp.RequestCtx) {
	switch {
	case a.reloads == nil:
		mistake(ctx, fasthttp.StatusNotFound, errors.New("this server has no configuration to read again"))
	case !ctx.IsPost():
		ctx.Response.Header.Set("Allow", "POST")
		mistake(ctx, fasthttp.StatusMethodNotAllowed, errors.New("want POST"))
	case !isJSON(ctx.Request.Header.ContentType()):
		mistake(ctx, fasthttp.StatusUnsupportedMediaType, errors.New("want Content-Type: application/json"))
	default:
		answer, status, err := a.reloads()
		if err != nil {
			mistake(ctx, status, err)
			return
		}
		asJSON(ctx, status, answer)
	}
}
