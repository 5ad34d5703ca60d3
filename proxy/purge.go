package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"

	"multiserver/cache"
	"multiserver/proxy/logline"
	"multiserver/proxy/wire"
)

// purge answers a PURGE, which with a cache is for us and nobody else: an
// upstream never sees one.
//
//	PURGE /path             that URL, all its variants
//	PURGE /path*            all URLs of that host that begin so
//	Surrogate-Key: a b      all answers that bear one of these tags; the target
//	Cache-Tag: a, b           does not count
//	Cache-Tag: *            all answers
//	Fastly-Soft-Purge: 1    stale in place of gone
//
// 200 says that all who share our Redis know, or that there is none; 202 that
// this node has purged and the others will when Redis is back.
func (p *Proxy) purge(x *Exchange) bool {
	if !p.mayPurge(x.asker()) {
		return p.refusePurge(x)
	}
	soft := len(x.Req.Peek("fastly-soft-purge")) > 0 && string(x.Req.Peek("fastly-soft-purge")) != "0"
	tags, tagged := x.purgeTags()
	if !tagged {
		host := x.host()
		if host == nil {
			return p.answer(x, 400, "PURGE needs a Host")
		}
		return p.purged(x, p.opt.Cache.PurgeTarget(context.Background(), host, x.Req.Path, soft))
	}
	o := cache.Order{Tags: tags, Soft: soft}
	if len(tags) == 1 && tags[0] == "*" {
		o.Tags, o.All = nil, true
	}
	done, err := p.opt.Cache.Order(context.Background(), &o)
	if err != nil {
		return p.answer(x, 400, "no tags to purge, or too many, or too long")
	}
	return p.purged(x, done)
}

// asker is who sent the request as far as that is certain; not valid: it is
// not. A proxy that we do not know passes on what others sent, whatever its own
// address is, and who comes by a Unix socket may be anybody.
func (x *Exchange) asker() netip.Addr {
	switch {
	case !x.Req.Asserts:
		return x.Client.addr
	case x.Client.trusted && x.saidWell():
		return x.said()
	}
	return netip.Addr{}
}

// saidWell tells whether X-Forwarded-For is nothing but addresses.
func (x *Exchange) saidWell() bool {
	for i := range x.Req.Fields {
		f := &x.Req.Fields[i]
		if f.Kind != wire.ForwardedFor {
			continue
		}
		for word := range bytes.SplitSeq(x.Req.Value(f), []byte(",")) {
			if _, err := netip.ParseAddr(string(bytes.TrimSpace(word))); err != nil {
				return false
			}
		}
	}
	return true
}

func (p *Proxy) mayPurge(a netip.Addr) bool {
	for _, from := range p.opt.PurgeFrom {
		if from.Contains(a) {
			return true
		}
	}
	return false
}

func (p *Proxy) refusePurge(x *Exchange) bool {
	p.Stats.PurgesRefused.Add(1)
	if swallowed, ok := p.barred.allow(p.opt.Guard.Now()); ok {
		p.opt.Log.Warn("purge refused", "client", x.Client.addr.String(), "said", x.said().String(),
			"target", string(logline.AppendQuoted(nil, x.Req.Target)), "allow", "--purge-from", "swallowed", swallowed)
	}
	return p.answer(x, 403, "PURGE is not for this address")
}

// purgeTags are those of all fields that name some; tagged: there are such
// fields.
func (x *Exchange) purgeTags() (tags []string, tagged bool) {
	q := &x.Req
	for i := range q.Fields {
		f := &q.Fields[i]
		name, sep := q.Name(f), ","
		switch {
		case f.Kind != wire.Other:
			continue
		case wire.EqualFold(name, "surrogate-key"):
			sep = " "
		case !wire.EqualFold(name, "cache-tag"):
			continue
		}
		tagged = true
		for word := range bytes.SplitSeq(q.Value(f), []byte(sep)) {
			if word = bytes.TrimSpace(word); len(word) > 0 {
				tags = append(tags, string(word))
			}
		}
	}
	return tags, tagged
}

// purged tells what was done.
func (p *Proxy) purged(x *Exchange, done cache.Purged) bool {
	line := appendPurged(nil, &done)
	if swallowed, ok := p.audit.allow(p.opt.Guard.Now()); ok {
		p.opt.Log.Info("purge", "client", x.asker().String(), "what", done.What, "names", done.Names,
			"soft", done.Soft, "nodes", string(done.Nodes), "swallowed", swallowed)
	}
	status := 200
	if done.Nodes == cache.Pending {
		status = 202
	}
	if x.wantsJSON() {
		body, _ := json.Marshal(done) // strings and a bool: it does not fail
		return p.say(x, status, "application/json", append(body, '\n'))
	}
	return p.say(x, status, "text/plain; charset=utf-8", line)
}

func appendPurged(dst []byte, done *cache.Purged) []byte {
	dst = append(dst, "purged "...)
	if done.Soft {
		dst = append(dst, "softly "...)
	}
	dst = append(dst, done.What...)
	for _, name := range done.Names {
		dst = logline.AppendQuoted(append(dst, ' '), []byte(name))
	}
	return append(append(append(dst, "; nodes: "...), done.Nodes...), '\n')
}
