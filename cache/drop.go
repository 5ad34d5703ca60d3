package cache

import (
	"hash/maphash"
	"slices"
	"sync/atomic"

	"multiserver/cache/purge"
	"multiserver/proxy/wire"
)

// drop forgets what lies under key in both tiers, and what is being fetched.
func (c *Cache) drop(key []byte) {
	c.spoil(key)
	c.forget(key)
}

// forget is drop for who is fetching what takes its place.
func (c *Cache) forget(key []byte) {
	c.mem.Drop(key)
	if c.far != nil {
		c.far.Drop(key)
	}
	c.note(trailKey, key)
}

// spoil keeps what is being fetched for key, from an upstream or from the second
// tier, from being stored. It comes before what is stored already is dropped: who
// stores looks afterwards whether he was spoiled, and so one of the two finds it.
func (c *Cache) spoil(key []byte) {
	c.changes.of(key).Add(1)
	c.flights.spoil(key)
}

// changes count what was dropped or replaced, in counters that keys share. Who
// leads a flight is told of his own key alone; others look here, and now and
// then do not store what they might have.
type changes [1024]atomic.Uint64

func (s *changes) of(key []byte) *atomic.Uint64 {
	return &s[maphash.Bytes(flightSeed, key)%uint64(len(s))]
}

// Changed tells the cache of the answer to a request that is none of its
// business but may have changed something.
func (c *Cache) Changed(v *Visit, q *wire.Request, secure bool, host []byte, res *wire.Response) {
	c.invalidate(q, secure, host, res)
	if string(q.Method) == "POST" && res.Status == 200 {
		c.adopt(v, q, secure, host, res)
	}
}

// invalidate forgets what an unsafe request that succeeded has changed: its
// target, and what the answer names as changed at the same origin (RFC 9111
// §4.4).
func (c *Cache) invalidate(q *wire.Request, secure bool, host []byte, res *wire.Response) {
	if host == nil || safe(q.Method) || res.Status < 200 || res.Status >= 400 {
		return
	}
	for i, s := range *c.spellings.Load() {
		key := s.keys.Append(nil, secure, host, q.Path)
		c.dropAll(&s, key, i)
		for _, name := range [...]string{"location", "content-location"} {
			ref := res.Peek(name)
			if ref == nil {
				continue
			}
			if other, same := s.keys.Resolve(nil, key, ref); same {
				c.dropAll(&s, other, i)
			}
		}
	}
}

// dropAll drops a target in the i-th spelling, for all who keep apart.
func (c *Cache) dropAll(s *spelling, key []byte, i int) {
	if i == 0 {
		c.Stats.Dropped.Add(1)
	}
	for _, apart := range s.apart {
		c.dropOne(slices.Concat(key, []byte(apart)))
	}
}

func (c *Cache) dropOne(key []byte) {
	c.spoil(key)
	c.mem.Drop(partKey(nil, key))
	c.forget(key)
}

// safe tells whether a method changes nothing (RFC 9110 §9.2.1); one that is
// not known may.
func safe(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	return false
}

// changed forgets what another node has replaced or dropped; nil: all may be.
func (c *Cache) changed(key []byte) {
	if key == nil {
		return // the epoch has grown: what memory holds is asked about before it is used
	}
	c.spoil(key)
	c.mem.Drop(key)
	c.mem.Drop(partKey(nil, key))
	c.note(trailKey, key)
}

// marked puts a purge in force that some node has made; nil: some were missed,
// and all before seq is gone.
func (c *Cache) marked(name []byte, seq uint64) {
	m, ok := purge.ParseMark(name)
	if !ok {
		m = purge.Mark{Kind: purge.All}
	}
	c.marks.Set(m, seq)
}
