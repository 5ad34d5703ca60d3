package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// Order is the body of POST /cache/purge: what is to be purged, by one of URL,
// Prefix, Tags and All. What each means is the cache's business.
type Order struct {
	URL    string
	Prefix string
	Tags   []string
	All    bool
	Soft   bool
}

// order is Order as it comes.
type order struct {
	URL    string   `json:"url"`
	Prefix string   `json:"prefix"`
	Tag    string   `json:"tag"`
	Tags   []string `json:"tags"`
	All    bool     `json:"all"`
	Soft   bool     `json:"soft"`
}

const orderFields = "url, prefix, tag, tags, all, soft"

// purgeWithin bounds a purge, whatever it waits for.
const purgeWithin = 10 * time.Second

// purge takes an order. A page in a browser of this machine can post here, too,
// but not with this Content-Type, unless it is let: that is asked for by
// OPTIONS, which gets 405.
func (a *Admin) purge(ctx *fasthttp.RequestCtx) {
	switch {
	case !ctx.IsPost():
		ctx.Response.Header.Set("Allow", "POST")
		mistake(ctx, fasthttp.StatusMethodNotAllowed, errors.New("purges are made with POST"))
		return
	case a.purges == nil:
		mistake(ctx, fasthttp.StatusNotFound, errNoCache)
		return
	case !isJSON(ctx.Request.Header.ContentType()):
		mistake(ctx, fasthttp.StatusUnsupportedMediaType, errNotJSON)
		return
	}
	o, err := parseOrder(ctx.PostBody())
	if err != nil {
		mistake(ctx, fasthttp.StatusBadRequest, err)
		return
	}
	within, cancel := context.WithTimeout(context.Background(), purgeWithin)
	defer cancel()
	answer, pending, err := a.purges(within, o)
	switch {
	case err != nil:
		mistake(ctx, fasthttp.StatusBadRequest, err)
	case pending:
		asJSON(ctx, fasthttp.StatusAccepted, answer)
	default:
		asJSON(ctx, fasthttp.StatusOK, answer)
	}
}

var errNoCache = errors.New("there is no cache: the server was started without --cache SIZE")

var errNotJSON = errors.New("want Content-Type: application/json")

func isJSON(contentType []byte) bool {
	kind, _, _ := bytes.Cut(contentType, []byte(";"))
	return bytes.EqualFold(bytes.TrimSpace(kind), []byte("application/json"))
}

// parseOrder puts encoding/json's words in ours.
func parseOrder(body []byte) (Order, error) {
	var o order
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(&o)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows it")
		}
	}
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
	case errors.As(err, &kind) && kind.Field != "":
		return Order{}, fmt.Errorf("%s: a JSON %s, want a %s", kind.Field, kind.Value, kinds[kind.Type.Kind().String()])
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := strings.TrimPrefix(err.Error(), "json: unknown field ")
		return Order{}, fmt.Errorf("%s: unknown field, want one of %s", strings.Trim(name, `"`), orderFields)
	default:
		return Order{}, fmt.Errorf(`body: not a JSON object (%w), want one such as {"url":"http://example.org/"}`, err)
	}
	if o.Tag != "" && o.Tags != nil {
		return Order{}, fmt.Errorf("tag %q: tags are given as well, want one of both", o.Tag)
	}
	if o.Tag != "" {
		o.Tags = []string{o.Tag}
	}
	return Order{URL: o.URL, Prefix: o.Prefix, Tags: o.Tags, All: o.All, Soft: o.Soft}, nil
}

// kinds are what Go calls them, in JSON's words.
var kinds = map[string]string{"string": "string", "bool": "boolean", "slice": "list of strings"}

// figures is GET /cache.
func (a *Admin) figures(ctx *fasthttp.RequestCtx) {
	if a.cache == nil {
		mistake(ctx, fasthttp.StatusNotFound, errNoCache)
		return
	}
	asJSON(ctx, fasthttp.StatusOK, a.cache())
}

func mistake(ctx *fasthttp.RequestCtx, status int, err error) {
	asJSON(ctx, status, struct {
		Error string `json:"error"`
	}{err.Error()})
}

func asJSON(ctx *fasthttp.RequestCtx, status int, answer any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		panic("BUG: " + err.Error())
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.SetBody(b.Bytes())
}
