package filter

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// compress encodes the bodies of answers (RFC 9110 §8.4) on their way to the
// cache and the client.
//
// What it leaves alone: what is encoded already, parts (206), what the origin
// forbids to transform, what is short, and types that it is not told of. Of
// those, event streams and gRPC are conversations: an encoder for each, for
// hours, would cost more than it saves.
//
// An attacker who can have text of his put beside a secret of a page, and can
// see how long the answers are, learns the secret from how well they compress
// (BREACH). Pages of that kind want a secret that is masked anew in each answer,
// as the CSRF tokens of most frameworks are, or a route without this filter.
type compress struct {
	proxy.Pass
	types   []string // in lower case: text/html, text/*, *+json
	least   int64    // bytes
	codings []*codec // the one that is liked most first
}

// usualTypes are not compressed by themselves.
var usualTypes = []string{
	"text/*", "*+json", "*+xml", "application/json", "application/javascript", "application/xml", "application/x-javascript",
	"application/x-ndjson", "application/wasm", "application/manifest+json", "application/vnd.ms-fontobject", "font/ttf", "font/otf",
	"image/svg+xml", "image/bmp", "image/x-icon",
}

// These have to be named in full.
var conversations = []string{"text/event-stream", "application/grpc"}

func newCompress(o Options) (proxy.Filter, error) {
	said := struct {
		Types   []string `yaml:"types"`
		Least   string   `yaml:"min-size"`
		Codings []string `yaml:"codings"`
	}{Types: usualTypes, Least: "1KiB", Codings: []string{"zstd", "br", "gzip"}}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	f := &compress{}
	var err error
	if f.least, err = parseSize(said.Least); err != nil {
		return nil, fmt.Errorf("min-size %w", err)
	}
	for _, t := range said.Types {
		if err := checkType(t); err != nil {
			return nil, err
		}
		f.types = append(f.types, strings.ToLower(t))
	}
	for _, name := range said.Codings {
		c := findCodec(name)
		if c == nil || slices.Contains(f.codings, c) {
			return nil, fmt.Errorf("codings %q: want some of zstd, br, gzip, each once", said.Codings)
		}
		f.codings = append(f.codings, c)
	}
	if len(f.codings) == 0 || len(f.types) == 0 {
		return nil, fmt.Errorf("nothing to do, want types and codings, or neither for what is usual")
	}
	return f, nil
}

func checkType(s string) error {
	of, sub, found := strings.Cut(s, "/")
	if suffix, ok := strings.CutPrefix(s, "*+"); ok {
		of, sub, found = "*", suffix, true
	}
	if !found || of == "" || sub == "" || strings.ContainsAny(s, " ;,\"") {
		return fmt.Errorf("types %q: want a media type without parameters, such as text/html, text/* or *+json", s)
	}
	return nil
}

// Code is proxy.Coder's. What any client could get encoded varies, and says so,
// also to who gets it as it is: a cache in between must not give the one to the
// other (RFC 9110 §12.5.5).
func (f *compress) Code(x *proxy.Exchange, e *proxy.Edits) proxy.Encoder {
	res := &x.Res
	if res.Status == 304 {
		confirm(x, e)
		return nil
	}
	if !f.suits(res) {
		return nil
	}
	if !varies(res) {
		e.Add("Vary", []byte("Accept-Encoding"))
	}
	c := f.choose(&x.Req)
	if c == nil {
		return nil
	}
	var enc proxy.Encoder
	if string(x.Req.Method) != "HEAD" { // which gets the head that a GET would
		if enc = c.acquire(); enc == nil {
			Stats.Plain.Add(1)
			return nil
		}
	}
	for _, name := range bodily {
		e.Drop(name)
	}
	e.Add("Content-Encoding", []byte(c.name))
	weaken(res, e)
	return enc
}

// What is of the body as it came: how long it is, parts of it by number, and
// sums of its bytes (RFC 9530, RFC 3230, RFC 1864).
var bodily = []string{"content-length", "accept-ranges", "repr-digest", "content-digest", "digest", "content-md5"}

// suits tells whether an answer would be encoded for who accepts it.
func (f *compress) suits(res *wire.Response) bool {
	switch {
	case res.Bodiless(), res.Status == 206, res.Length >= 0 && res.Length < max(f.least, 1):
		return false
	case res.Peek("content-encoding") != nil, res.Peek("content-range") != nil:
		return false
	}
	return f.knows(res.Peek("content-type")) && !has(res, "cache-control", "no-transform")
}

func (f *compress) knows(t []byte) bool {
	if i := bytes.IndexByte(t, ';'); i >= 0 {
		t = t[:i]
	}
	t = bytes.TrimSpace(t)
	talks := false
	for _, c := range conversations {
		talks = talks || len(t) >= len(c) && wire.EqualFold(t[:len(c)], c)
	}
	for _, s := range f.types {
		if wire.EqualFold(t, s) || !talks && fitsType(t, s) {
			return true
		}
	}
	return false
}

func fitsType(t []byte, pattern string) bool {
	if n := len(pattern) - 1; pattern[n] == '*' {
		return len(t) > n && wire.EqualFold(t[:n], pattern[:n])
	}
	rest, ok := strings.CutPrefix(pattern, "*")
	return ok && len(t) > len(rest) && wire.EqualFold(t[len(t)-len(rest):], rest)
}

// has tells whether a field has that word somewhere.
func has(res *wire.Response, name, word string) bool {
	for i := range res.Fields {
		if f := &res.Fields[i]; wire.EqualFold(res.Name(f), name) {
			for v := res.Value(f); len(v) >= len(word); v = v[1:] {
				if wire.EqualFold(v[:len(word)], word) {
					return true
				}
			}
		}
	}
	return false
}

func varies(res *wire.Response) bool {
	return has(res, "vary", "accept-encoding") || has(res, "vary", "*")
}

// weaken has the entity tag be a weak one: other bytes mean the same (RFC 9110
// §8.8.1). Strong ones are asked for by who joins parts, whom the bytes of the
// other would spoil.
func weaken(res *wire.Response, e *proxy.Edits) {
	if tag := res.Peek("etag"); len(tag) > 0 && tag[0] == '"' {
		e.Drop("etag")
		e.Begin("ETag")
		e.End(append(append(e.Value(), "W/"...), tag...))
	}
}

// confirm has a 304 speak of what was encoded, if it was: the tag that it was
// asked about is then a weak one.
func confirm(x *proxy.Exchange, e *proxy.Edits) {
	tag := x.Res.Peek("etag")
	if len(tag) == 0 || tag[0] != '"' || !x.AskedWeak(tag) {
		return
	}
	weaken(&x.Res, e)
	if x.Res.Peek("vary") != nil && !varies(&x.Res) { // it would take the place of what is stored
		e.Add("Vary", []byte("Accept-Encoding"))
	}
}
