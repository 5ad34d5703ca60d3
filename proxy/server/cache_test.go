package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"multiserver/cache/redis"
	"multiserver/proxy/admin"
)

// newStorable is an app whose answers may be stored.
func newStorable(t *testing.T) *httptest.Server {
	a := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=100")
		io.WriteString(w, "hello")
	}))
	t.Cleanup(a.Close)
	return a
}

func TestMetricsOfTheCache(t *testing.T) {
	s := start(t, "--upstream "+newStorable(t).URL, "--cache 64MiB", "--redis redis://127.0.0.1:1")
	c := s.dial(t)
	c.want("/", "200 hello")
	c.want("/", "200 hello")
	fmt.Fprint(c.nc, "PURGE / HTTP/1.1\r\nHost: a\r\n\r\n")
	if got, _ := c.answer(); got != "202 purged url a/; nodes: pending\n" {
		t.Errorf("%q", got)
	}
	c.want("/", "200 hello")
	var m admin.Metrics
	s.metrics(&m)
	page := string(m.Append(nil))
	f := func(line string) {
		t.Helper()
		if !strings.Contains(page, "\n"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	for _, tier := range []string{"redis", "stale", "revalidated"} {
		f(`multiserver_cache_hits_total{tier="` + tier + `"} 0`)
	}
	f(`multiserver_cache_hits_total{tier="memory"} 1`)
	f(`multiserver_cache_misses_total{reason="uri-miss"} 2`)
	for _, reason := range []string{"unshared", "vary-miss", "expired", "wish", "partial"} {
		f(`multiserver_cache_misses_total{reason="` + reason + `"} 0`)
	}
	for _, reason := range []string{"method", "body", "request", "rule"} {
		f(`multiserver_cache_passes_total{reason="` + reason + `"} 0`)
	}
	f(`multiserver_cache_stored_total 2`)
	for _, name := range []string{"unshared", "too_long", "collapsed", "lone", "refreshed", "dropped", "corrupt", "torn", "purges_refused"} {
		f(`multiserver_cache_` + name + `_total 0`)
	}
	f(`multiserver_cache_purges_total{kind="url"} 1`)
	f(`multiserver_cache_purges_total{kind="all"} 0`)
	f(`multiserver_cache_purge_marks 1`)
	f(`multiserver_cache_purges_owed 1`)
	f(`multiserver_cache_memory_entries 1`)
	f(`multiserver_cache_redis_up 0`)
	f(`multiserver_cache_redis_finds_total{result="hit"} 0`)
	f(`multiserver_cache_redis_puts_total{result="queue-full"} 0`)
	f(`multiserver_cache_redis_put_bytes_total 0`)
	f(`multiserver_cache_redis_links_total{event="up"} 0`)
}

func TestEveryCountOfRedisHasItsFamily(t *testing.T) {
	var st redis.Stats
	st.Each(func(name string, _ uint64) {
		if c, known := redisCounts[name]; !known || redisFamilies[c.family] == "" {
			t.Errorf("%s is in no family", name)
		}
	})
}

func TestWithoutACacheThereAreNoMetricsOfOne(t *testing.T) {
	s := start(t, "--upstream "+newStorable(t).URL)
	var m admin.Metrics
	s.metrics(&m)
	if page := string(m.Append(nil)); strings.Contains(page, "_cache_") {
		t.Error(page)
	}
}

func TestACacheIsKeptOverARestart(t *testing.T) {
	fetched := 0
	a := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched++
		w.Header().Set("Cache-Control", "max-age=100")
		io.WriteString(w, "hello")
	}))
	defer a.Close()
	file := t.TempDir() + "/cache"
	for range 3 {
		s := start(t, "--upstream "+a.URL, "--cache 64MiB", "--cache-file "+file)
		s.dial(t).want("/", "200 hello")
		s.stop()
		s.wait(t)
	}
	if fetched != 1 {
		t.Errorf("fetched %d times", fetched)
	}
}
