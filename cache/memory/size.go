package memory

import "fmt"

// plan is what becomes of Options.Size.
type plan struct {
	data   int64  // bytes of all rings
	ring   uint64 // bytes of one
	old    uint64 // bytes written since: then a hit renews
	least  int    // bytes that an entry takes at least, on the average
	credit int    // bytes of entries that may be smaller
	slots  int    // of a ring's door
	tick   uint64 // bytes to a tick of the door's clock
}

// What an entry costs beside its bytes: measured with entries of 200 to 1,024
// bytes in rings of 32 to 256 MiB, at GOGC=100, it is 84 to 146 bytes of
// resident memory, by how full Go's maps happen to be. (An index has 17 bytes a
// slot and is full to 7/16 at worst; entries that were overwritten stay in it
// for another lap; and the collector lets the heap double.)
const (
	perEntry = 150
	perSlot  = 4 // one for two entries

	// fixed is for the rest: 512 empty maps, shards, buffers, pages begun.
	fixed = 4 << 20

	// grain is what rings can grow by: a chunk for each.
	grain = rings * ringChunk

	// leastMost is the most that a small entry may be charged. More would leave
	// more of Size for large ones; at 768 rings are 0.8 of it, and records with
	// a head and a short body are seldom smaller.
	leastMost = 768

	// spare is the part of a ring that may be small entries on credit.
	spare = 8
)

// Least is the smallest Size, in bytes.
const Least = fixed + grain + (grain+grain/spare)/leastMost*(perEntry+perSlot/2)

// divide gives as many grains to the rings as leave enough for the index of
// entries of leastMost, and what is left over to the index of smaller ones.
func divide(size int64) (plan, error) {
	if size < Least {
		return plan{}, fmt.Errorf("memory for the cache is %d bytes, and must be %d (%d MiB) at least",
			size, int64(Least), int64(Least+1<<20-1)>>20)
	}
	const each = perEntry + perSlot/2
	n := (size - fixed) / grain
	for n > 1 && entries(n*grain, leastMost)*each > size-fixed-n*grain {
		n--
	}
	p := plan{data: n * grain, ring: uint64(n) * ringChunk}
	left := size - fixed - p.data
	p.least = max(int(((p.data+p.data/spare)*each+left-1)/left), leastLeast)
	p.credit = int(p.ring / spare)
	p.old = p.ring / 4 * 3
	p.tick = p.ring / ticks
	p.slots = int(entries(p.data, int64(p.least)) / 2 / rings)
	return p, nil
}

// leastLeast is about what an entry with a short key and an empty record takes.
const leastLeast = 64

// entries is how many there can be of least bytes on the average.
func entries(data, least int64) int64 { return (data + data/spare) / least }
