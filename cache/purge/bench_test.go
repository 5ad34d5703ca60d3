package purge

import (
	"strconv"
	"testing"
)

// BenchmarkCheck is of an entry with four tags that is older than all marks:
// tags, and prefixes of some twenty lengths. "since" is the common case.
func BenchmarkCheck(b *testing.B) {
	key := []byte("https://www.example.org/blog/2026/a-page-with-a-long-name.html?page=2")
	tags := AppendTags(nil, []byte("blog node:1 user:17 front"), ' ')
	f := func(name string, marks int, seq uint64) {
		b.Run(name, func(b *testing.B) {
			var table Table
			for i := range marks / 2 {
				table.Set(mark(Tag, "tag:"+strconv.Itoa(i)), uint64(i+1))
				table.Set(mark(Prefix, "https://www.example.org/shop/"[:10+i%20]+strconv.Itoa(i)), uint64(i+1))
			}
			for b.Loop() {
				if table.Check(key, tags, seq) != Valid {
					b.Fatal("purged")
				}
			}
		})
	}
	f("0", 0, 0)
	f("10", 10, 0)
	f("10000", 10000, 0)
	f("10000-since", 10000, 10000)
}

// BenchmarkSet is of new tags each time, folding included.
func BenchmarkSet(b *testing.B) {
	var table Table
	var name [16]byte
	m := Mark{Kind: Tag}
	for i := 0; b.Loop(); i++ {
		m.Name = strconv.AppendInt(name[:0], int64(i), 10)
		table.Set(m, uint64(i+1))
	}
}
