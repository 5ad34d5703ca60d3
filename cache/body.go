package cache

import "multiserver/cache/memory"

// Body is a stored body: in one piece, in the record it was found with, or in
// chunks, each of which is read when it is asked for.
type Body struct {
	Length int64
	inline []byte // nil if it is in chunks
	id     uint64
	mem    *memory.Memory
	torn   *counter
}

// Body is Entry's.
func (v *Visit) Body() Body {
	e := &v.Entry
	b := Body{Length: e.Length(), id: e.id(), mem: v.c.mem, torn: &v.c.Stats.Torn}
	if !e.has(flagChunks) {
		b.inline = e.inline()
	}
	return b
}

// Inline is the whole body, nil if it is in chunks.
func (b *Body) Inline() []byte { return b.inline }

// At is the body from that place on, up to the end or to that of a chunk, which
// is read into buf if that is large enough. Not ok: the chunk is gone.
func (b *Body) At(buf []byte, at int64) (piece []byte, ok bool) {
	if b.inline != nil {
		return b.inline[at:], true
	}
	piece, ok = b.mem.Chunk(buf[:0], b.id, uint32(at/chunk))
	if !ok || int64(len(piece)) <= at%chunk {
		b.torn.Add(1)
		return nil, false
	}
	return piece[at%chunk:], true
}
