package admin

import (
	"errors"
	"strings"

	"github.com/valyala/fasthttp"
)

// hubPages are the fronts of those that the hub answers.
var hubPages = []string{"/publish", "/api/publish", "/api/channels", "/api/connections"}

var errNoHub = errors.New("there is no hub: the server was started without --hub PATH")

// hubPage tells whether it has answered.
func (a *Admin) hubPage(ctx *fasthttp.RequestCtx, path string) bool {
	for _, front := range hubPages {
		if rest, ok := strings.CutPrefix(path, front); !ok || rest != "" && rest[0] != '/' {
			continue
		}
		answered, there := false, false
		if a.hub != nil {
			answered, there = a.hub(ctx)
		}
		if !there {
			mistake(ctx, fasthttp.StatusNotFound, errNoHub)
			return true
		}
		return answered
	}
	return false
}
