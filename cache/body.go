package cache

import "multiserver/cache/memory"

// spare is what a piece needs behind it while it is read.
const spare = 64

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

// At is the body from that place on: to its end, or as many whole chunks as buf
// has room for, which must be enough for one. Not ok: a chunk is gone.
func (b *Body) At(buf []byte, at int64) (piece []byte, ok bool) {
	if b.inline != nil {
		return b.inline[at:], true
	}
	piece = buf[:0]
	for n := at / chunk; n*chunk < b.Length && len(piece)+chunk+spare <= cap(buf); n++ {
		if piece, ok = b.mem.Chunk(piece, b.id, uint32(n)); !ok {
			b.torn.Add(1)
			return nil, false
		}
	}
	return piece[min(int(at%chunk), len(piece)):], len(piece) > int(at%chunk)
}

// lentFrom is how long what is wanted of a body is at least for it to be lent: at
// 32 KiB sending from a file saves nothing.
const lentFrom = 48 << 10

// Lend is the whole body as a file, if it is among those that are asked for
// most, and n bytes of it are worth that; else nil. It must be returned.
func (b *Body) Lend(n int64) *memory.Lent {
	if b.inline != nil || n < lentFrom {
		return nil
	}
	return b.mem.Lend(b.id, b.Length)
}
