package admin

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// Sessions are what the pages about sessions ask, by the text of an id as
// upstreams know it.
type Sessions struct {
	Find func(ctx context.Context, id string) (data []byte, version uint64, err error) // data is JSON
	End  func(ctx context.Context, id string) error
}

// What Sessions may say.
var (
	ErrNoSession    = errors.New("no session has that id: it may have ended, or got another id")
	ErrSessionsAway = errors.New("the store of sessions does not answer")

	errNoSessions = errors.New("there are no sessions: the server was started without --session STORE")
)

const (
	sessionPages = "/api/sessions/"
	findWithin   = 5 * time.Second
)

// session is GET and DELETE /api/sessions/ID: the data, as X-Session-Data has
// it, or the end of it. It tells whether the path was one of these. A page in a
// browser of this machine cannot send DELETE to another site without asking
// by OPTIONS, which gets 405.
func (a *Admin) session(ctx *fasthttp.RequestCtx, path string) bool {
	id, ok := strings.CutPrefix(path, sessionPages)
	if !ok {
		return false
	}
	within, cancel := context.WithTimeout(context.Background(), findWithin)
	defer cancel()
	switch {
	case a.sessions == nil:
		mistake(ctx, fasthttp.StatusNotFound, errNoSessions)
	case ctx.IsGet() || ctx.IsHead():
		a.findSession(within, ctx, id)
	case ctx.IsDelete():
		if err := a.sessions.End(within, id); err != nil {
			noSession(ctx, err)
			return true
		}
		ctx.SetStatusCode(fasthttp.StatusNoContent)
	default:
		ctx.Response.Header.Set("Allow", "GET, HEAD, DELETE")
		mistake(ctx, fasthttp.StatusMethodNotAllowed, errors.New("sessions are read with GET and ended with DELETE"))
	}
	return true
}

func (a *Admin) findSession(within context.Context, ctx *fasthttp.RequestCtx, id string) {
	data, version, err := a.sessions.Find(within, id)
	if err != nil {
		noSession(ctx, err)
		return
	}
	ctx.SetContentType("application/json")
	ctx.Response.Header.Set("X-Session-Version", strconv.FormatUint(version, 10))
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.SetBody(data)
}

func noSession(ctx *fasthttp.RequestCtx, err error) {
	status := fasthttp.StatusServiceUnavailable
	if err == ErrNoSession {
		status = fasthttp.StatusNotFound
	}
	mistake(ctx, status, err)
}
