//go:build !race

package pipe

import (
	"bufio"
	"net"
	"testing"
)

func TestAllocAnExchange(t *testing.T) {
	s := newStage(t, 8, func(_ *bufio.Reader, nc net.Conn) {
		in, out := make([]byte, 1024), []byte(answer("ok"))
		for {
			if _, err := nc.Read(in); err != nil {
				return
			}
			if _, err := nc.Write(out); err != nil {
				return
			}
		}
	})
	seat := s.Seat()
	request, b := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), make([]byte, 4096)
	if n := testing.AllocsPerRun(2000, func() {
		if _, err := seat.Take(); err != nil {
			t.Fatal(err)
		}
		if _, err := seat.Write(request); err != nil {
			t.Fatal(err)
		}
		if n, err := seat.Read(b); n == 0 || err != nil || !seat.Free() {
			t.Fatal(n, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
