package purge

import "encoding/binary"

// A saved table is a byte of version, the numbers last, gone and soft of all,
// for each slot its hash, length, gone and soft, and a sum over all of that.
const (
	version   = 2
	headBytes = 1 + 3*8
	slotBytes = 8 + 2 + 2*8
	sumBytes  = 8
	seedSave  = 0x1d8e4e27c47d124f
)

// Save adds the marks' bytes to dst, to be kept with the entries: entries that
// come back without the marks that purged them are purged no more. Setting
// waits for it.
func (t *Table) Save(dst []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	begin, x := len(dst), t.begun()
	dst = append(dst, version)
	dst = binary.LittleEndian.AppendUint64(dst, t.last.Load())
	dst = x.all.append(dst)
	for i := range x.slots {
		if s := &x.slots[i]; s.hash.Load() != empty {
			dst = binary.LittleEndian.AppendUint64(dst, s.hash.Load())
			dst = binary.LittleEndian.AppendUint16(dst, uint16(s.length))
			dst = s.append(dst)
		}
	}
	return binary.LittleEndian.AppendUint64(dst, sum(dst[begin:]))
}

// Restore puts the marks in force that Save wrote, besides those that are. If
// it is false the bytes were not written by Save, or by another version of us,
// nothing was put in force, and entries kept with them must not be used.
func (t *Table) Restore(b []byte) bool {
	end := len(b) - sumBytes
	if end < headBytes || (end-headBytes)%slotBytes != 0 || b[0] != version ||
		sum(b[:end]) != binary.LittleEndian.Uint64(b[end:]) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	all := &t.begun().all
	all.raise(false, binary.LittleEndian.Uint64(b[9:]))
	all.raise(true, binary.LittleEndian.Uint64(b[17:]))
	for s := b[headBytes:end]; len(s) > 0; s = s[slotBytes:] {
		t.restore(s)
	}
	t.Seen(binary.LittleEndian.Uint64(b[1:]))
	return true
}

func (t *Table) restore(s []byte) {
	hash, length := binary.LittleEndian.Uint64(s), int(binary.LittleEndian.Uint16(s[8:]))
	if hash <= many || length > longest && length != ofURL {
		return // not by Save
	}
	t.put(hash, length, false, binary.LittleEndian.Uint64(s[10:]))
	t.put(hash, length, true, binary.LittleEndian.Uint64(s[18:]))
}

func (n *numbers) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, n.gone.Load())
	return binary.LittleEndian.AppendUint64(dst, n.soft.Load())
}

func sum(b []byte) uint64 {
	w := walk{bytes: b, sum: seedSave}
	return w.to(len(b))
}
