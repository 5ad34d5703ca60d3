package cache

import (
	"multiserver/cache/memory"
	"multiserver/proxy/wire"
)

const (
	// maxInline is the longest record that goes with its body in one piece: with
	// Room before it, it fits the buffer that hits are read into.
	maxInline = wire.SmallBuffer - Room - 256
	// maxHead is the longest head that is stored: it has to fit such a record.
	maxHead = 12 << 10
	// chunk is how long the pieces of a longer body are.
	chunk = memory.ChunkSize
)

// fill gathers an answer while it is passed on. Nothing of it can be found
// before commit.
type fill struct {
	rec    []byte // the record, its fields not sealed yet; buffer reused
	fields int    // where they begin
	body   []byte // what is in no chunk yet; a buffer that has room for one
	n      int64  // bytes so far
	chunks uint32 // written
	ttl    int64  // ms that it may be of use
	on     bool
	part   bool // it is one
	whole  bool // Commit makes it Entry
}

// begin starts on a body behind w.rec.
func (w *fill) begin() {
	w.on, w.n, w.chunks, w.whole = true, 0, 0, false
	if w.body == nil {
		w.body = wire.AcquireBuffer(wire.SmallBuffer)
	}
	w.body = w.body[:0]
}

// end gives the buffers back.
func (w *fill) end() {
	if w.body != nil {
		wire.ReleaseBuffer(w.body)
		w.body = nil
	}
	w.on, w.rec = false, w.rec[:0]
}

// Storing tells whether the body is wanted by Append.
func (v *Visit) Storing() bool { return v.write.on }

// Append stores the next piece of the body.
func (v *Visit) Append(p []byte) {
	w := &v.write
	if w.on = w.on && w.n+int64(len(p)) <= v.c.by.Object; !w.on {
		v.tooLong()
		return
	}
	w.n += int64(len(p))
	for len(p) > 0 {
		if len(w.body) == chunk && !v.flush() {
			return
		}
		k := min(len(p), chunk-len(w.body))
		w.body = append(w.body, p[:k]...)
		p = p[k:]
	}
}

// flush makes a chunk of what has gathered, if the body is worth the room.
func (v *Visit) flush() bool {
	w := &v.write
	if w.chunks == 0 && v.c.far == nil && !v.c.wanted(v, v.at) {
		v.giveUp(failed)
		return false
	}
	v.c.mem.PutChunk(v.id, w.chunks, w.body)
	w.chunks++
	w.body = w.body[:0]
	return true
}

// tooLong gives up, and tells those who wait that there is nothing to wait for.
func (v *Visit) tooLong() {
	if v.write.n > 0 || v.Stored {
		v.c.Stats.Long.Add(1)
	}
	v.giveUp(unshared)
}

// giveUp forgets what was gathered; o is for those who wait. A part that was to
// become whole is no answer to whoever asked for the whole.
func (v *Visit) giveUp(o outcome) {
	if v.write.whole {
		v.Entry = Entry{}
	}
	if v.write.chunks > 0 {
		v.c.mem.DropChunks(v.id, v.write.chunks)
	}
	v.write.end()
	v.Stored = false
	v.land(o)
}

// Commit stores what was gathered, whose end was there: from here on it is
// found.
func (v *Visit) Commit() {
	w := &v.write
	if !w.on {
		return
	}
	w.on = false
	switch {
	case v.spoiled():
		v.giveUp(failed) // the next one gets what is there now
		return
	case w.chunks == 0 && len(w.rec)+len(w.body)+64 <= maxInline:
		w.rec = append(seal(w.rec, w.fields, w.n), w.body...)
	default:
		if len(w.body) > 0 && !v.flush() {
			return
		}
		setFlag(w.rec, flagChunks)
		w.rec = seal(w.rec, w.fields, w.n)
	}
	v.keep()
	v.land(stored)
	w.end()
}

// keep stores the record that is complete, and makes it Entry.
func (v *Visit) keep() {
	w := &v.write
	if w.part {
		v.c.mem.Put(v.at, w.rec, v.epoch)
		if v.spoiled() {
			v.c.mem.Drop(v.at)
			v.c.note(trailKey, v.at)
		}
	} else {
		v.c.put(v, v.at, w.rec, w.ttl)
		if len(v.alias) > 0 {
			v.c.mem.Put(v.alias, w.rec, v.epoch)
		}
	}
	v.c.putNames(v)
	v.c.Stats.Stored.Add(1)
	if w.whole {
		v.found = append(make([]byte, Room, Room+len(w.rec)), w.rec...)
		v.Entry, _ = open(v.found[Room:])
	}
}

// put stores a record in both tiers, unless what it is of was dropped meanwhile,
// here or on another node; or may have been, while the link was broken.
func (c *Cache) put(v *Visit, key, rec []byte, ttl int64) {
	if c.wanted(v, key) {
		c.mem.Put(key, rec, v.epoch)
	}
	if v.Entry.There() { // of which somebody may have a copy
		c.note(trailKey, key)
	}
	if v.spoiled() {
		c.mem.Drop(key) // between the look and the Put
		c.note(trailKey, key)
		return
	}
	if c.far == nil || v.epoch != c.far.Epoch() {
		return
	}
	c.send(key, rec, ttl)
	if v.spoiled() || v.epoch != c.far.Epoch() {
		c.forget(key) // between that look and the queue
	}
}

// wanted tells whether a record goes into memory: if somebody waits for it, or
// it is worth the place.
func (c *Cache) wanted(v *Visit, key []byte) bool {
	return v.fetch != nil && v.fetch.waiters.Load() > 0 || c.mem.Admit(key)
}
