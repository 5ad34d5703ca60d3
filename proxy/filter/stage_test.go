package filter

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// options are those that the words of a file give.
func options(words string) Options {
	return Options{
		Decode: func(into any) error {
			d := yaml.NewDecoder(strings.NewReader(words))
			d.KnownFields(true)
			if err := d.Decode(into); err != io.EOF {
				return err
			}
			return nil
		},
		Log: slog.New(slog.DiscardHandler),
	}
}

func made(t testing.TB, name, words string) proxy.Filter {
	t.Helper()
	f, err := New(name, options(words))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// start is a proxy with filters before an app that says how it was asked.
func start(t testing.TB, filters ...proxy.Filter) (addr string) {
	t.Helper()
	return startBefore(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Server"] = []string{"app"}
		w.Header()["X-Internal-A"] = []string{"1"}
		w.Header()["Access-Control-Allow-Origin"] = []string{"https://evil.test"}
		fmt.Fprintf(w, "%s %s %q %q", r.Method, r.RequestURI, r.Header["X-A"], r.Header["Authorization"])
	}, nil, filters...)
}

// startBefore is a proxy with filters, and a cache if there is one, before an
// app.
func startBefore(t testing.TB, serve http.HandlerFunc, store *cache.Cache, filters ...proxy.Filter) (addr string) {
	t.Helper()
	app := httptest.NewServer(serve)
	t.Cleanup(app.Close)
	return startTo(t, app.Listener.Addr().String(), store, filters...)
}

// startTo is startBefore an origin that is there.
func startTo(t testing.TB, origin string, store *cache.Cache, filters ...proxy.Filter) (addr string) {
	t.Helper()
	guard, log := wire.NewGuard(), slog.New(slog.DiscardHandler)
	ups := pool.New(pool.Options{Guard: guard, Connect: time.Second, MaxHead: 64 << 10, MaxIdle: 4, Log: log})
	ups.Set([]pool.Target{{Name: "app", Network: "tcp", Addr: origin, Host: origin, Weight: 1}})
	p := proxy.New(proxy.Options{
		Route: proxy.Route{Pool: &proxy.Pool{Pool: ups}, Filters: filters, Cache: store, Response: 10 * time.Second, Idle: 10 * time.Second},
		Guard: guard, Log: log, Head: 10 * time.Second, KeepAlive: 10 * time.Second, MaxHead: 64 << 10,
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = ln.Close()
		ups.Close()
		guard.Close()
	})
	go func() {
		for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
			go p.ServeConn(nc)
		}
	}()
	return ln.Addr().String()
}

// ask sends a request with more lines, on a connection of its own.
func ask(t testing.TB, addr, line string, more ...string) (*http.Response, string) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(nc, "%s HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n%s\r\n", line, strings.Join(append(more, ""), "\r\n"))
	method, _, _ := strings.Cut(line, " ")
	res, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return res, string(body)
}

func newCache(t testing.TB) *cache.Cache {
	t.Helper()
	c, err := cache.New(t.Context(), cache.Options{Memory: memory.Options{Size: 64 << 20}, Object: 8 << 20, Wait: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
