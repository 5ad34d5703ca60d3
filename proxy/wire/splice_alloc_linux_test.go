//go:build !race

package wire

import (
	"io"
	"testing"
)

func TestSpliceAlloc(t *testing.T) {
	g := newGuard(t)
	near, in := tcp(t)
	far, out := tcp(t)
	src, dst := g.conn(t, near), g.conn(t, far)
	head, data, got := []byte("head"), make([]byte, 32<<10), make([]byte, 4+(32<<10))
	moved := func(int64) {}
	n := testing.AllocsPerRun(200, func() {
		in.Write(data)
		if _, err := SpliceBehind(dst, src, head, nil, int64(len(data)), moved); err != nil {
			t.Fatal(err)
		}
		io.ReadFull(out, got)
	})
	if n >= 1 { // less is a pool that was emptied
		t.Errorf("%v allocations", n)
	}
}

func TestSendFileAlloc(t *testing.T) {
	g := newGuard(t)
	f, data := noise(t, 32<<10)
	near, out := tcp(t)
	c := g.conn(t, near)
	head, got, fd := []byte("head"), make([]byte, 4+len(data)), int(f.Fd())
	n := testing.AllocsPerRun(200, func() {
		if _, err := c.SendFile(head, fd, 0, int64(len(data))); err != nil {
			t.Fatal(err)
		}
		io.ReadFull(out, got)
	})
	if n >= 1 { // less is a pool that was emptied
		t.Errorf("%v allocations", n)
	}
}
