//go:build !race

package edge

import (
	"testing"

	"golang.org/x/net/http2/hpack"

	"multiserver/proxy/wire"
)

func TestAllocHeads(t *testing.T) {
	b := block{most: 64 << 10, head: make([]byte, 0, 1024), cookie: make([]byte, 0, 100)}
	fields := []hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":path", Value: "/"},
		{Name: ":authority", Value: "a"}, {Name: "user-agent", Value: "b"}, {Name: "cookie", Value: "c"}, {Name: "accept", Value: "d"}}
	var r wire.Response
	head := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-A: b\r\nContent-Length: 5\r\n\r\n")
	out := make([]byte, 0, 1024)
	n := testing.AllocsPerRun(100, func() {
		b.begin(false)
		for _, f := range fields {
			b.field(f)
		}
		b.end()
		if _, err := r.Parse(head); err != nil {
			t.Fatal(err)
		}
		out = appendStatus(out[:0], r.Status)
		for i := range r.Fields {
			out = appendPlain(out, r.Name(&r.Fields[i]), r.Value(&r.Fields[i]))
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}
