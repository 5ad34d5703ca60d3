package edge_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Beyond so many in a second clients have to come twice, the second time with
// what only who gets our packets can know. They need not notice.
func TestHTTP3ClientsProveTheirAddressWhenManyCome(t *testing.T) {
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }), func(l *limits) { l.trust = 1 })
	await(t, "a client to be asked", func() bool {
		c := u.client()
		defer c.Close()
		if got := all(t, u.do(c, u.request("GET", "/", nil)).Body); got != "hello" {
			t.Errorf("%q", got)
		}
		return u.quic.Stats.Asked.Load() > 0
	})
	f := newUDP(t, app(t, func(http.ResponseWriter, *http.Request) {}), nil)
	for range 3 {
		f.do(f.client(), f.request("GET", "/", nil))
	}
	if n := f.quic.Stats.Asked.Load(); n != 0 {
		t.Errorf("%d of few were asked", n)
	}
}

// Who does not read holds the upstream of that answer, and no other stream.
func TestHTTP3SlowReadersHoldOnlyTheirOwn(t *testing.T) {
	const size = 64 << 20
	var sent atomic.Int64
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/big" {
			io.WriteString(w, "hello")
			return
		}
		piece := []byte(strings.Repeat("x", 64<<10))
		for n := 0; n < size; n += len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
			sent.Add(int64(len(piece)))
		}
	}), nil)
	c := u.client()
	slow := u.do(c, u.request("GET", "/big", nil))
	before := int64(-1)
	await(t, "the upstream to wait", func() bool {
		time.Sleep(50 * time.Millisecond)
		n := sent.Load()
		waits := n > 0 && n == before
		before = n
		return waits
	})
	if before > size/2 {
		t.Errorf("%d bytes for who reads nothing", before)
	}
	for range 20 {
		if got := all(t, u.do(c, u.request("GET", "/", nil)).Body); got != "hello" {
			t.Errorf("%q", got)
		}
	}
	if n, err := io.Copy(io.Discard, io.LimitReader(slow.Body, 2*before)); n != 2*before || err != nil {
		t.Errorf("%d bytes when it reads again, %v", n, err)
	}
	slow.Body.Close()
}
