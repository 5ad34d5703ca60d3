package cache

import (
	"bytes"

	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// adopt stores the answer to a POST as that to a GET, if it says itself that it
// is one (RFC 9110 §9.3.3): by naming its own target in Content-Location, and
// for how long it is fresh.
func (c *Cache) adopt(v *Visit, q *wire.Request, secure bool, host []byte, res *wire.Response) {
	ref := res.Peek("content-location")
	if ref == nil || host == nil || c.by.Off || !c.by.Filter.Allows(host, q.Path) {
		return
	}
	v.key = c.by.Keys.Append(v.key[:0], secure, host, q.Path)
	other, same := c.by.Keys.Resolve(nil, v.key, ref)
	if !same || !bytes.Equal(other, v.key) || len(v.key) > maxKey {
		return
	}
	v.bare = len(v.key)
	v.key = append(v.key, c.by.Apart...)
	v.c = c
	v.leave()
	t := &v.terms
	c.by.Rules.JudgeAs(t, q, res, res.Status, v.from, v.from)
	if t.Why != rule.Storable || !t.Explicit || !c.writable(res) {
		return
	}
	v.at = append(v.at[:0], v.key...)
	c.place(v, q, res)
	v.id = newID()
	c.begin(v, t, &terms{kind: kindAnswer}, res, v.from)
}
