//go:build !race

package purge

import (
	"strconv"
	"testing"
)

func TestAllocNothing(t *testing.T) {
	var table Table
	for i := range 1000 {
		table.Set(mark(Tag, strconv.Itoa(i)), uint64(i+1))
		table.Set(mark(Prefix, "http://a/"+strconv.Itoa(i)), uint64(i+1))
		table.Set(mark(URL, "http://a/"+strconv.Itoa(i)), uint64(i+1))
	}
	key, value := []byte("http://a/other/page"), []byte("x y z")
	buf := make([]byte, 0, 64)
	f := func(what string, do func()) {
		t.Helper()
		if n := testing.AllocsPerRun(100, do); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
	tags := AppendTags(nil, value, ' ')
	f("no mark is newer", func() { table.Check(key, tags, 1000) })
	f("all are", func() { table.Check(key, tags, 0) })
	f("tags", func() { buf = AppendTags(buf[:0], value, ' ') })
	f("a mark again", func() { table.Set(Mark{Kind: Tag, Name: value}, 2000) })
	f("numbers", func() { table.Seen(table.Last()) })
	m := Mark{Kind: Prefix, Name: key}
	f("a mark's bytes", func() { buf = m.Append(buf[:0]) })
}
