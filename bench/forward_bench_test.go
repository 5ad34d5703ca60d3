//go:build linux

package main

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"

	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// These benchmarks are one exchange after the other on kept connections,
// client, proxy and origin in one process, so that allocations of any of them
// show: `go test -bench . -benchmem ./bench`. For what a request costs the
// proxy alone, next to others, see scripts/bench.

var sizes = []struct {
	name string
	body int
}{{"1k", 1 << 10}, {"16k", 16 << 10}, {"100k", 100 << 10}, {"1m", 1 << 20}}

// Over TCP on the loopback.
func BenchmarkForward(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			origin := listenTCP(b, answering(s.body))
			p := newProxy(b, origin)
			nc, err := net.Dial("tcp", listenTCP(b, p.ServeConn))
			if err != nil {
				b.Fatal(err)
			}
			exchanges(b, nc, s.body)
		})
	}
}

// The client's connection in memory: nothing of its side is the kernel's.
func BenchmarkForwardInMemoryClient(b *testing.B) {
	for _, s := range sizes[:2] {
		b.Run(s.name, func(b *testing.B) {
			p := newProxy(b, listenTCP(b, answering(s.body)))
			ln := fasthttputil.NewInmemoryListener()
			b.Cleanup(func() { ln.Close() })
			serve(ln, p.ServeConn)
			nc, err := ln.Dial()
			if err != nil {
				b.Fatal(err)
			}
			exchanges(b, nc, s.body)
		})
	}
}

// The head of a browser's request, through the gate.
func BenchmarkParseRequest(b *testing.B) {
	head := []byte("GET /index.html?x=1 HTTP/1.1\r\nHost: example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n" +
		"Connection: keep-alive\r\nCookie: session=0123456789abcdef; theme=dark\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n\r\n")
	var q wire.Request
	b.SetBytes(int64(len(head)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Parse(head); err != nil {
			b.Fatal(err)
		}
	}
}

func exchanges(b *testing.B, nc net.Conn, body int) {
	defer nc.Close()
	request := []byte("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
	answer := make([]byte, len(answerOf(body)))
	b.SetBytes(int64(body))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nc.Write(request); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(nc, answer); err != nil {
			b.Fatal(err)
		}
	}
}

func answerOf(body int) []byte {
	head := "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\nCache-Control: max-age=86400\r\nETag: \"a\"\r\nContent-Length: " + strconv.Itoa(body) + "\r\n\r\n"
	return []byte(head + strings.Repeat("x", body))
}

// answering gives the same answer to every request without a body.
func answering(body int) func(net.Conn) {
	out := answerOf(body)
	return func(nc net.Conn) {
		defer nc.Close()
		buf := make([]byte, 4<<10)
		for n := 0; ; {
			k, err := nc.Read(buf[n:])
			if err != nil {
				return
			}
			if n += k; !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
				continue
			}
			n = 0
			if _, err := nc.Write(out); err != nil {
				return
			}
		}
	}
}

func newProxy(b *testing.B, origin string, change ...func(*proxy.Options)) *proxy.Proxy {
	guard := wire.NewGuard()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	ups := pool.New(pool.Options{Guard: guard, Connect: time.Second, Response: time.Minute, MaxHead: 64 << 10, MaxIdle: 16, Log: log})
	ups.Set([]pool.Target{{Name: "http://" + origin, Network: "tcp", Addr: origin, Host: origin, Weight: 1}})
	o := proxy.Options{
		Route: proxy.Route{Pool: &proxy.Pool{Pool: ups}, Response: time.Minute, Idle: time.Minute},
		Guard: guard, Log: log,
		Head: time.Minute, KeepAlive: time.Minute, MaxHead: 64 << 10,
	}
	for _, f := range change {
		f(&o)
	}
	p := proxy.New(o)
	b.Cleanup(func() {
		for p.Stats.Clients.Load() > 0 {
			guard.EndAll()
			time.Sleep(time.Millisecond)
		}
		ups.Close()
		guard.Close()
	})
	return p
}

func listenTCP(b *testing.B, f func(net.Conn)) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	serve(ln, f)
	return ln.Addr().String()
}

func serve(ln net.Listener, f func(net.Conn)) {
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go f(nc)
		}
	}()
}
