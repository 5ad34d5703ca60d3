package server

import (
	"strings"

	"multiserver/proxy"
	"multiserver/proxy/config"
)

// origins are those whose pages may connect (RFC 6455 section 10.2): a browser
// sends its user's cookies along with any page's WebSocket.
type origins struct {
	any, same bool
	list      []string
}

func newOrigins(words []string) (o origins) {
	for _, w := range words {
		switch w {
		case config.AnyOrigin:
			o.any = true
		case config.SameOrigin:
			o.same = true
		default:
			o.list = append(o.list, strings.ToLower(w))
		}
	}
	return o
}

// allow lets in what names no origin: that is no browser, and can say what it
// likes.
func (o *origins) allow(x *proxy.Exchange) bool {
	v := x.Req.Peek("origin")
	if v == nil || o.any {
		return true
	}
	origin := strings.ToLower(string(v))
	return o.same && sameOrigin(origin, x) || o.listed(origin)
}

// sameOrigin goes by host and port; the scheme may end at a proxy in front.
func sameOrigin(origin string, x *proxy.Exchange) bool {
	scheme, host, ok := strings.Cut(origin, "://")
	return ok && bare(host, scheme) == bare(strings.ToLower(string(x.Req.Host)), scheme)
}

// bare is host without the port that its scheme has anyway.
func bare(host, scheme string) string {
	return strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[scheme])
}

func (o *origins) listed(origin string) bool {
	for _, w := range o.list {
		scheme, domain, wild := strings.Cut(w, "://*")
		if w == origin || wild && strings.HasPrefix(origin, scheme+"://") && strings.HasSuffix(origin, domain) {
			return true
		}
	}
	return false
}

// readers are fields that let a listed page read an answer (CORS).
func (o *origins) readers(x *proxy.Exchange) []byte {
	v := x.Req.Peek("origin")
	switch {
	case v == nil:
		return nil
	case o.listed(strings.ToLower(string(v))):
		return append(append([]byte("Vary: Origin\r\nAccess-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Origin: "), v...), "\r\n"...)
	case o.any: // and no cookies
		return []byte("Access-Control-Allow-Origin: *\r\n")
	}
	return nil
}
