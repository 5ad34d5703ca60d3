package app

import (
	"github.com/valyala/fasthttp"

	"multiserver/sync/session"
)

// Fast gives next's requests a Session.
func (a *App) Fast(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		s, outcome := a.source.open(incoming{
			ctx:    ctx,
			field:  func(name string) string { return string(ctx.Request.Header.Peek(name)) },
			secure: ctx.IsTLS(),
			each: func(name string, f func(string)) {
				for _, value := range ctx.Request.Header.PeekAll(name) {
					f(string(value))
				}
			},
		})
		if outcome != session.Go {
			refuse(ctx, outcome)
			return
		}
		s.save = func() { a.commit(ctx, s) }
		ctx.SetUserValue(key{}, s)
		next(ctx)
		s.save()
	}
}

// FromFast is the Session of a request that came by Fast's middleware, or nil.
func FromFast(ctx *fasthttp.RequestCtx) *Session {
	s, _ := ctx.UserValue(key{}).(*Session)
	return s
}

// commit: fasthttp sends the head when the handler has returned.
func (a *App) commit(ctx *fasthttp.RequestCtx, s *Session) {
	if s.closed {
		return
	}
	s.closed = true
	var fields [][2]string
	if outcome := a.source.close(s, func(name, value string) { fields = append(fields, [2]string{name, value}) }); outcome != session.Go {
		refuse(ctx, outcome) // which begins the answer anew
	}
	for _, f := range fields {
		ctx.Response.Header.Add(f[0], f[1])
	}
}

func refuse(ctx *fasthttp.RequestCtx, outcome session.Outcome) {
	status, body := refusal(outcome)
	ctx.Response.ResetBody()
	ctx.Error(body, status)
}
