package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/valyala/fasthttp"
)

// Upstreams is what can be done with them. An error is ErrNoPool,
// ErrNoUpstream, or what is wrong with the order; the answer is sent as JSON.
type Upstreams struct {
	Drain func(pool, name string, out bool) (answer any, err error)
	Weigh func(pool, name string, weight int) (answer any, err error)
}

// What Upstreams may say.
var (
	ErrNoPool     = errors.New("there is no such pool")
	ErrNoUpstream = errors.New("the pool has no such upstream")

	errNoState = errors.New("this server tells nothing of its state")
)

// upstream is POST /api/pools/POOL/upstreams/NAME/drain, undrain and weight. The
// names stand in the path escaped: http%3A%2F%2F10.0.0.1%3A3000. It tells whether
// the path was one of these.
func (a *Admin) upstream(ctx *fasthttp.RequestCtx) bool {
	// As it came: unescaped, a name's slashes would be the path's.
	parts := strings.Split(string(ctx.URI().PathOriginal()), "/")
	if len(parts) != 7 || parts[1] != "api" || parts[2] != "pools" || parts[4] != "upstreams" {
		return false
	}
	pool, badPool := url.PathUnescape(parts[3])
	name, badName := url.PathUnescape(parts[5])
	do, known := a.verb(parts[6])
	switch err := errors.Join(badPool, badName); {
	case a.upstreams == nil || !known:
		return false
	case !ctx.IsPost():
		notFor(ctx, "POST")
	case !isJSON(ctx.Request.Header.ContentType()):
		mistake(ctx, fasthttp.StatusUnsupportedMediaType, errNotJSON)
	case err != nil:
		mistake(ctx, fasthttp.StatusBadRequest, err)
	default:
		a.change(ctx, func() (any, error) { return do(pool, name, ctx.PostBody()) })
	}
	return true
}

// verb is what the last part of a path asks for.
func (a *Admin) verb(word string) (do func(pool, name string, body []byte) (any, error), known bool) {
	switch word {
	case "drain", "undrain":
		return func(pool, name string, body []byte) (any, error) {
			if err := unpack(body, &struct{}{}, `{}`); err != nil {
				return nil, err
			}
			return a.upstreams.Drain(pool, name, word == "drain")
		}, true
	case "weight":
		return func(pool, name string, body []byte) (any, error) {
			var o struct {
				Weight *int `json:"weight"`
			}
			err := unpack(body, &o, `{"weight":3}`)
			if err == nil && o.Weight == nil {
				err = errors.New(`weight: missing, want one such as {"weight":3}`)
			}
			if err != nil {
				return nil, err
			}
			return a.upstreams.Weigh(pool, name, *o.Weight)
		}, true
	}
	return nil, false
}

// unpack reads an order's body, which may be empty.
func unpack(body []byte, into any, such string) error {
	if len(body) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("body: not such a JSON object (%w), want one such as %s", err, such)
	}
	return nil
}

func (a *Admin) change(ctx *fasthttp.RequestCtx, do func() (any, error)) {
	answer, err := do()
	switch {
	case errors.Is(err, ErrNoPool) || errors.Is(err, ErrNoUpstream):
		mistake(ctx, fasthttp.StatusNotFound, err)
	case err != nil:
		mistake(ctx, fasthttp.StatusBadRequest, err)
	default:
		asJSON(ctx, fasthttp.StatusOK, answer)
	}
}

func notFor(ctx *fasthttp.RequestCtx, allow string) {
	ctx.Response.Header.Set("Allow", allow)
	mistake(ctx, fasthttp.StatusMethodNotAllowed, fmt.Errorf("%s is not for %s, want %s", ctx.Path(), ctx.Method(), allow))
}
