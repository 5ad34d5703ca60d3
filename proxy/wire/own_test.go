package wire

import (
	"bytes"
	"io"
	"testing"
)

// What the socket does not take at once goes on as any other write does.
func TestOwnedConnectionWrites(t *testing.T) {
	g := newGuard(t)
	for _, l := range links {
		near, far := l.make(t)
		c := g.conn(t, near)
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
		go func() {
			c.Own()
			for rest, n := data, 1; len(rest) > 0; n *= 10 {
				k := min(n, len(rest))
				if err := c.Write(rest[:k/2], rest[k/2:k]); err != nil {
					t.Errorf("%s: %v", l.name, err)
				}
				rest = rest[k:]
			}
			near.Close()
		}()
		got, err := io.ReadAll(far)
		if !bytes.Equal(got, data) || err != nil {
			t.Errorf("%s: %d of %d bytes, %v", l.name, len(got), len(data), err)
		}
	}
}
