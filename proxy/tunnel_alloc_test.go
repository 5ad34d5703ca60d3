//go:build !race

package proxy_test

import (
	"io"
	"testing"
)

func TestAllocTunnel(t *testing.T) {
	client, origin, _ := tunnelTo(t, nil)
	message := []byte("\x82\x85\x00\x00\x00\x00hello")
	empty := []byte("\x82\x00")
	in := make([]byte, len(message))
	pass := func() {
		client.Write(message)
		if _, err := io.ReadFull(origin, in); err != nil {
			t.Fatal(err)
		}
		origin.Write(empty)
		if _, err := io.ReadFull(client, in[:2]); err != nil {
			t.Fatal(err)
		}
	}
	pass()
	if n := testing.AllocsPerRun(1000, pass); n >= 1 { // the Guard's tick allocates now and then
		t.Errorf("%v allocations for a message each way", n)
	}
}
