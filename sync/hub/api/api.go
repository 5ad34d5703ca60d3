package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"multiserver/sync/hub"
)

// API is a hub over HTTP.
type API struct{ hub *hub.Hub }

// New makes one.
func New(h *hub.Hub) *API { return &API{h} }

// within is how long a request may wait for other nodes.
const within = 5 * time.Second

// call is one request.
type call struct {
	*fasthttp.RequestCtx
	hub   *hub.Hub
	until context.Context
	path  []string // its parts, unescaped
}

// routes are by method and path, in which * is any name. The first that fits
// counts.
var routes = []struct {
	method, path string
	do           func(c *call)
}{
	{"POST", "publish", (*call).publish},
	{"GET", "channels", (*call).channels},
	{"GET", "channels/*", (*call).members},
	{"DELETE", "channels/*", (*call).endChannel},
	{"GET", "connections/*", (*call).connection},
	{"POST", "connections/*", (*call).send},
	{"DELETE", "connections/*", (*call).endConnection},
	{"PUT", "connections/*/channels/*", (*call).join},
	{"DELETE", "connections/*/channels/*", (*call).leave},
	{"DELETE", "connections", (*call).endSession},
}

// Serve answers what is the hub's; false: nothing was, and there is no answer.
func (a *API) Serve(ctx *fasthttp.RequestCtx) bool {
	path, ok := strings.CutPrefix(string(ctx.URI().PathOriginal()), "/api/")
	if !ok && string(ctx.Path()) == "/publish" {
		path, ok = "publish", true
	}
	if !ok {
		return false
	}
	parts := strings.Split(path, "/")
	for i := range parts {
		name, err := url.PathUnescape(parts[i])
		if err != nil {
			return false
		}
		parts[i] = name
	}
	until, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return (&call{ctx, a.hub, until, parts}).route(path)
}

func (c *call) route(path string) bool {
	var allow []string
	for _, r := range routes {
		switch {
		case !fits(r.path, path):
		case r.method == string(c.Method()) || r.method == "GET" && c.IsHead():
			if r.method != "GET" && c.stranger() {
				c.refuse(fasthttp.StatusForbidden, "this is not for pages of other sites")
				return true
			}
			r.do(c)
			return true
		default:
			allow = append(allow, r.method)
		}
	}
	if allow == nil {
		return false
	}
	c.Response.Header.Set("Allow", strings.Join(allow, ", "))
	c.refuse(fasthttp.StatusMethodNotAllowed, "this takes "+strings.Join(allow, ", "))
	return true
}

// stranger tells whether a page of another site sends this through its reader's
// browser, which reaches listeners on loopback that ask for no token.
func (c *call) stranger() bool {
	origin := string(c.Request.Header.Peek("Origin"))
	if origin == "" {
		return false
	}
	_, host, _ := strings.Cut(origin, "://")
	return host != string(c.Host())
}

// fits compares part by part.
func fits(pattern, path string) bool {
	for {
		p, patternRest, more := strings.Cut(pattern, "/")
		s, pathRest, others := strings.Cut(path, "/")
		if s == "" || p != "*" && p != s || more != others {
			return false
		}
		if !more {
			return true
		}
		pattern, path = patternRest, pathRest
	}
}

// reply answers in JSON.
func (c *call) reply(status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	c.SetStatusCode(status)
	c.SetContentType("application/json")
	c.SetBody(append(text, '\n'))
}

func (c *call) refuse(status int, why string) {
	c.reply(status, map[string]string{"error": why})
}

// outcome is what became of something that other nodes had to be told.
type outcome struct {
	ID      string `json:"id,omitempty"`
	Items   int    `json:"items,omitempty"`
	Warning string `json:"warning,omitempty"`
}

// finish answers with an outcome, or says why there is none.
func (c *call) finish(o outcome, err error) {
	var why hub.Reason
	switch {
	case err == nil:
		c.reply(fasthttp.StatusOK, o)
	case !errors.As(err, &why):
		o.Warning = "other nodes may not know: " + err.Error()
		c.reply(fasthttp.StatusAccepted, o)
	case why == hub.Busy || why == hub.Ended:
		c.Response.Header.Set("Retry-After", "1")
		c.refuse(fasthttp.StatusServiceUnavailable, say(why))
	case why == hub.TooLong:
		c.refuse(fasthttp.StatusRequestEntityTooLarge, say(why))
	default:
		c.refuse(fasthttp.StatusBadRequest, say(why))
	}
}

// say is a reason for a person.
func say(why hub.Reason) string {
	switch why {
	case hub.BadName:
		return "channel: want 1 to 255 bytes that can be printed, as in ?channel=room:7"
	case hub.TooLong:
		return "the message is longer than 1 MiB, or 512 KiB to one connection; send where it can be had"
	case hub.Busy:
		return "too much is waiting to be sent to other nodes; try again"
	case hub.Ended:
		return "this node is about to end; try another"
	}
	return why.String()
}
