package proxy_test

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// Clients that do not read fill all there is between them and their origin, and
// are served by the same goroutines as others.
func TestDeafTunnelsDelayNoOther(t *testing.T) {
	front := startProxy(t, echoing(t))
	for range 4 {
		nc, _ := open(t, front, "/")
		b := make([]byte, 256<<10)
		for err := error(nil); err == nil; _, err = nc.Write(b) {
			nc.SetWriteDeadline(time.Now().Add(200 * time.Millisecond)) // then there is no room any more
		}
	}
	for range 4 {
		nc, in := open(t, front, "/")
		nc.SetDeadline(time.Now().Add(patience))
		for i := range 100 {
			out := bytes.Repeat([]byte{byte(i)}, 1+i*i)
			if _, err := nc.Write(out); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, len(out))
			if _, err := io.ReadFull(in, got); err != nil || !bytes.Equal(got, out) {
				t.Fatalf("message %d: %v", i, err)
			}
		}
	}
}
