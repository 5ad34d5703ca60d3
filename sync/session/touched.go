package session

import (
	"encoding/binary"
	"sync/atomic"
)

// touched remembers which sessions were touched lately, so that of many
// requests at once only one touches. It forgets when two ids share a place; then
// one touch more is made.
type touched [1024]struct{ id, until atomic.Uint64 }

// first tells whether nobody has touched id lately, and notes that somebody
// will have until then, in unix ms.
func (t *touched) first(id ID, now, until int64) bool {
	place := &t[binary.BigEndian.Uint16(id[8:])%uint16(len(t))]
	half := binary.BigEndian.Uint64(id[:])
	if place.id.Load() == half && place.until.Load() > uint64(now) {
		return false
	}
	place.id.Store(half)
	place.until.Store(uint64(until))
	return true
}
