package admin

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// guard decides who is let in. Without a token that is whoever can connect, and
// on loopback any page in a browser of this machine can: by a name that its
// owner points here (DNS rebinding), or by what browsers send across sites.
type guard struct {
	named   []string // hosts that the listener is called by; nil: any will do
	asks    bool
	token   [sha256.Size]byte // of the token: equal lengths compare in equal time
	guesses guesses
	refused [refusals]atomic.Uint64
}

// refusal is why somebody was not let in, and a metric's label.
type refusal uint8

const (
	badHost refusal = iota
	crossSite
	noToken
	wrongToken
	slowedDown
	refusals
)

var refusalNames = [refusals]string{"host", "cross-site", "no-token", "wrong-token", "slowed-down"}

func (g *guard) begin(o *Options) {
	g.asks, g.token = o.Token != "", sha256.Sum256([]byte(o.Token))
	if !g.asks && o.Network == "tcp" {
		host, _, _ := net.SplitHostPort(o.Addr)
		g.named = []string{"localhost", "127.0.0.1", "::1", host}
	}
}

// admit lets a request in, or has answered it.
func (a *Admin) admit(ctx *fasthttp.RequestCtx) bool {
	h := &ctx.Request.Header
	switch {
	case !a.guard.knows(h.Host()):
		return a.refuse(ctx, badHost, fasthttp.StatusForbidden, fmt.Sprintf("no such host here: want http://localhost, http://127.0.0.1 or what --admin names, not %.100q", h.Host()))
	case foreign(ctx):
		return a.refuse(ctx, crossSite, fasthttp.StatusForbidden, "another site's page asked for this")
	case !a.guard.asks || isShell(ctx):
		return true
	}
	return a.identify(ctx, h.Peek("Authorization"))
}

// identify asks for the token.
func (a *Admin) identify(ctx *fasthttp.RequestCtx, authorization []byte) bool {
	if len(authorization) == 0 {
		ctx.Response.Header.Set("WWW-Authenticate", "Bearer")
		return a.refuse(ctx, noToken, fasthttp.StatusUnauthorized, needsToken)
	}
	right := a.guard.isToken(authorization)
	wait, tell := a.guard.guesses.judge(clientOf(ctx), right, time.Now())
	if tell > 0 {
		a.log.Warn("admin token guessed", "client", ctx.RemoteAddr().String(), "wrong", tell)
	}
	switch {
	case wait > 0:
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		return a.refuse(ctx, slowedDown, fasthttp.StatusTooManyRequests, "too many wrong tokens from your address: try again later")
	case !right:
		ctx.Response.Header.Set("WWW-Authenticate", "Bearer")
		return a.refuse(ctx, wrongToken, fasthttp.StatusUnauthorized, needsToken)
	}
	return true
}

const needsToken = "this needs the admin token: Authorization: Bearer TOKEN"

// refuse answers, and is false.
func (a *Admin) refuse(ctx *fasthttp.RequestCtx, why refusal, status int, say string) bool {
	a.guard.refused[why].Add(1)
	if p := string(ctx.Path()); strings.HasPrefix(p, "/api/") || strings.HasPrefix(p, "/cache") {
		mistake(ctx, status, errors.New(say))
		return false
	}
	text(ctx, status, strconv.Itoa(status)+" "+say+"\n")
	return false
}

// knows tells whether the listener is called that. The port does not matter: a
// tunnel may have another, and who rebinds a name cannot choose the name.
func (g *guard) knows(host []byte) bool {
	if g.named == nil {
		return true
	}
	name := strings.TrimSuffix(hostname(string(host)), ".")
	for _, n := range g.named {
		if n != "" && strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// hostname is a Host field without its port and brackets.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// foreign tells whether a page of another site asks. Browsers say so by one
// field or both, and no page can change them; others than browsers send none.
// Another port of this machine is another site: what listens there is not us.
func foreign(ctx *fasthttp.RequestCtx) bool {
	h := &ctx.Request.Header
	if origin := h.Peek("Origin"); len(origin) > 0 {
		u, err := url.Parse(string(origin))
		if err != nil || !strings.EqualFold(u.Host, string(h.Host())) {
			return true
		}
	}
	switch string(h.Peek("Sec-Fetch-Site")) {
	case "", "same-origin", "none":
		return false
	}
	// A link to the dashboard may stand anywhere: whoever follows it sees the
	// page, and the site that has it sees nothing.
	follows := string(h.Peek("Sec-Fetch-Mode")) == "navigate" && string(h.Peek("Sec-Fetch-Dest")) == "document"
	return !follows || !isShell(ctx)
}

// isToken compares hashes, so that neither the time taken nor the length of a
// guess tells anything about the token.
func (g *guard) isToken(authorization []byte) bool {
	scheme, token, _ := bytes.Cut(authorization, []byte(" "))
	sum := sha256.Sum256(bytes.TrimLeft(token, " ")) // RFC 9110 section 11.4: 1*SP
	return bytes.EqualFold(scheme, []byte("Bearer")) && subtle.ConstantTimeCompare(sum[:], g.token[:]) == 1
}

// clientOf is who asks, as far as guesses are held against anybody: of IPv6 the
// network, as whoever has one address there has them all.
func clientOf(ctx *fasthttp.RequestCtx) netip.Addr {
	addr, _ := netip.AddrFromSlice(ctx.RemoteIP())
	if addr = addr.Unmap(); addr.Is6() {
		p, _ := addr.Prefix(64)
		return p.Addr()
	}
	return addr
}

func (g *guard) metrics(m *Metrics) {
	for why := range g.refused {
		m.Counter("multiserver_admin_refused_total", "Requests to the admin listener that were not let in, by why.",
			g.refused[why].Load(), "reason", refusalNames[why])
	}
}
