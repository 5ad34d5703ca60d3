package admin

import (
	"embed"
	"path"
	"strings"

	"github.com/valyala/fasthttp"
)

// The dashboard's own files. They hold no secret, and are what asks for the
// token: a browser can show it to nobody before it has a page to do so.
//
//go:embed page
var files embed.FS

const assets = "/page/"

// types are not the machine's: that has files of its own to say otherwise.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	"":      "text/plain; charset=utf-8",
}

// isShell tells whether a request is for one of them. Whoever is no browser gets
// the index by the same path.
func isShell(ctx *fasthttp.RequestCtx) bool {
	if !ctx.IsGet() && !ctx.IsHead() {
		return false
	}
	p := string(ctx.Path())
	return strings.HasPrefix(p, assets) || p == "/" && strings.Contains(string(ctx.Request.Header.Peek("Accept")), "text/html")
}

func (a *Admin) shell(ctx *fasthttp.RequestCtx, at string) bool {
	if !isShell(ctx) {
		return false
	}
	name := strings.TrimPrefix(at, "/")
	if at == "/" {
		ctx.Response.Header.Set("Vary", "Accept")
		name = "page/index.html"
	}
	b, err := files.ReadFile(name)
	if err != nil {
		text(ctx, fasthttp.StatusNotFound, "404 the dashboard has no such file\n")
		return true
	}
	ctx.Response.Header.Set("Cache-Control", "no-cache") // of another release it may be another
	ctx.SetContentType(types[path.Ext(name)])
	ctx.SetBody(b)
	return true
}

// policy lets a page have its own files and ask its own server, and nothing
// else: what an upstream, a route or a child is called can then do no harm.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func protect(h *fasthttp.ResponseHeader) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
