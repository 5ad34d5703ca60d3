package cache

import (
	"time"

	"multiserver/cache/redis"
	"multiserver/proxy/wire"
)

// What the second tier adds. It may be away at any time: then all here fails
// at once, and the cache is that of one node.

// remote looks into the second tier, and tells whether what is there may
// answer q. What was found goes into memory on the way; if nothing was, Entry
// stays what it is.
func (c *Cache) remote(v *Visit, q *wire.Request) bool {
	if c.far == nil || v.away {
		return false
	}
	if !v.vary || v.doubt {
		if !c.pull(v, v.key) {
			return false
		}
		if v.Entry.kind() == kindVariants {
			v.variant(q)
		} else {
			v.at = append(v.at[:0], v.key...)
			v.doubt = false
			return c.fits(v)
		}
	}
	if !c.pull(v, v.at) {
		return false
	}
	v.doubt = false
	return c.fits(v)
}

// pull fetches the record under key from the second tier into Entry and into
// memory.
func (c *Cache) pull(v *Visit, key []byte) bool {
	if v.buf == nil {
		v.buf = wire.AcquireBuffer(wire.SmallBuffer)
	}
	epoch := c.far.Epoch() // before the look: what is dropped while it lasts makes it an old one
	changes := c.changes.of(key).Load()
	rec, err := c.far.Find(v.far[:0], key)
	if err != nil {
		v.away = err == redis.ErrAway
		return false
	}
	v.far = rec
	e, ok := open(rec)
	if !ok {
		c.Stats.Corrupt.Add(1)
		return false
	}
	v.Tier = Redis
	return c.settle(v, key, e, epoch, changes)
}

// settle puts a record of the second tier into memory, and makes it Entry. What
// was dropped since epoch and changes were taken does not stay there.
func (c *Cache) settle(v *Visit, key []byte, e Entry, epoch, changes uint64) bool {
	rec := e.rec
	if len(rec) > maxInline {
		rec = c.chunked(e)
	}
	c.mem.Put(key, rec, epoch)
	if c.changes.of(key).Load() != changes {
		c.mem.Drop(key)
	}
	v.found = append(v.buf[:Room], rec...)
	v.Entry, _ = open(v.found[Room:])
	return v.Entry.There()
}

// chunked is the record of an entry whose body goes into chunks.
func (c *Cache) chunked(e Entry) []byte {
	body := e.inline()
	rec := append([]byte(nil), e.rec[:len(e.rec)-len(body)]...)
	id := newID()
	setFlag(rec, flagChunks)
	le.PutUint64(rec[atID:], id)
	for n := uint32(0); len(body) > 0; n++ {
		k := min(len(body), chunk)
		c.mem.PutChunk(id, n, body[:k])
		body = body[k:]
	}
	return rec
}

// epoch is what records are put into memory under.
func (c *Cache) epoch() uint64 {
	if c.far == nil {
		return 0
	}
	return c.far.Epoch()
}

// send puts a record into the second tier, in one piece.
func (c *Cache) send(key, rec []byte, ttl int64) {
	e, ok := open(rec)
	if !ok {
		return
	}
	if e.has(flagChunks) {
		if rec = c.gathered(&e); rec == nil {
			return
		}
	}
	c.far.Put(key, rec, time.Duration(ttl)*time.Millisecond, !e.has(flagEncoded))
}

// gathered is the record of an entry with its body behind it, or nil if a
// chunk is gone.
func (c *Cache) gathered(e *Entry) []byte {
	rec := append(make([]byte, 0, len(e.rec)+int(e.Length())), e.rec...)
	le.PutUint16(rec[atFlags:], le.Uint16(rec[atFlags:])&^uint16(flagChunks))
	for n := uint32(0); int64(n)*chunk < e.Length(); n++ {
		var ok bool
		if rec, ok = c.mem.Chunk(rec, e.id(), n); !ok {
			return nil
		}
	}
	return rec
}
