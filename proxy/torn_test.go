package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
)

// forgetful empties the cache while an answer is made of what was found there.
type forgetful struct {
	proxy.Pass
	store *cache.Cache
	times atomic.Int32
}

func (f *forgetful) Response(*proxy.Exchange) {
	if f.times.Add(-1) == 0 {
		f.store.Memory().Reset()
	}
}

// A stored body that is gone between the look and its first byte costs a fetch,
// not the request.
func TestStoredBodyThatIsGoneIsFetched(t *testing.T) {
	body := strings.Repeat("0123456789abcdef", 10<<10)
	var fetched atomic.Int32
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		w.Header().Set("Cache-Control", "max-age=100")
		w.Header().Set("ETag", `"a"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(body))
	}))
	t.Cleanup(origin.Close)
	store, err := cache.New(t.Context(), cache.Options{Memory: memory.Options{Size: 64 << 20}, Object: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	f := &forgetful{store: store}
	addr, _ := startProxyWith(t, func(o *proxy.Options) { o.Cache, o.Filters = store, []proxy.Filter{f} }, origin.Listener.Addr().String())
	for _, c := range []struct {
		line, want string
		status     int
	}{
		{"A: b", body, 200},
		{"Range: bytes=70000-70009", body[70000:70010], 206},
	} {
		fetch(t, addr, request("/x"))
		n := fetched.Load()
		f.times.Store(1)
		res, got := fetch(t, addr, request("/x", c.line))
		if res.StatusCode != c.status || got != c.want || fetched.Load() != n+1 {
			t.Errorf("%s: %d, %d bytes, %d fetches", c.line, res.StatusCode, len(got), fetched.Load()-n)
		}
	}
}
