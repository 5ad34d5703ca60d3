//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"

	"multiserver/cache"
	"multiserver/cache/memory"
	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// A stored answer over TCP on the loopback.
func BenchmarkHit(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			p := newProxyWith(b, listenTCP(b, answering(s.body)), newCache(b))
			nc, err := net.Dial("tcp", listenTCP(b, p.ServeConn))
			if err != nil {
				b.Fatal(err)
			}
			hits(b, nc, s.body, "")
		})
	}
}

// The client's connection in memory: what is left is ours, and the pipe's.
func BenchmarkHitInMemoryClient(b *testing.B) {
	for _, c := range []struct{ name, fields string }{
		{"1k", ""},
		{"1k-not-modified", "If-None-Match: \"a\"\r\n"},
		{"1k-range", "Range: bytes=100-199\r\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newProxyWith(b, listenTCP(b, answering(1<<10)), newCache(b))
			ln := fasthttputil.NewInmemoryListener()
			b.Cleanup(func() { ln.Close() })
			serve(ln, p.ServeConn)
			nc, err := ln.Dial()
			if err != nil {
				b.Fatal(err)
			}
			hits(b, nc, 1<<10, c.fields)
		})
	}
}

// Find alone: no connection, no answer.
func BenchmarkCacheFind(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			c := newCache(b)
			var q wire.Request
			if _, err := q.Parse([]byte("GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept-Encoding: gzip, br\r\n\r\n")); err != nil {
				b.Fatal(err)
			}
			var v cache.Visit
			store(b, c, &v, &q, s.body)
			b.ReportAllocs()
			for b.Loop() {
				if c.Find(&v, &q, false, q.Host) != cache.Hit {
					b.Fatal("no hit")
				}
				v.End()
			}
		})
	}
}

// Find among more and more small answers, each as likely as the others. LARGE=1 adds ten million,
// which take some GiB.
func BenchmarkEntries(b *testing.B) {
	for _, n := range []struct {
		entries int
		size    int64
	}{{1e3, 1 << 30}, {1e4, 1 << 30}, {1e5, 1 << 30}, {1e6, 1 << 30}, {1e7, 12 << 30}} {
		if n.entries > 1e6 && os.Getenv("LARGE") == "" {
			continue
		}
		b.Run(fmt.Sprintf("find/%d", n.entries), func(b *testing.B) { findAmong(b, n.entries, n.size) })
	}
}

func findAmong(b *testing.B, entries int, size int64) {
	c := newCacheOf(b, size)
	var q wire.Request
	var v cache.Visit
	head := []byte("GET /00000000 HTTP/1.1\r\nHost: example.org\r\nAccept-Encoding: gzip, br\r\n\r\n")
	if _, err := q.Parse(head); err != nil {
		b.Fatal(err)
	}
	name := func(n int) { // the path lies in head
		for i := len(q.Path) - 1; i > 0; i-- {
			q.Path[i] = '0' + byte(n%10)
			n /= 10
		}
	}
	for i := range entries {
		name(i)
		store(b, c, &v, &q, 100)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		name(i * 7919 % entries) // far from the last one
		if c.Find(&v, &q, false, q.Host) != cache.Hit {
			b.Fatalf("no hit for %s", q.Path)
		}
		v.End()
	}
}

// store has q's answer in c.
func store(b *testing.B, c *cache.Cache, v *cache.Visit, q *wire.Request, body int) {
	var res wire.Response
	answer := answerOf(body)
	if _, err := res.Parse(answer[:len(answer)-body]); err != nil {
		b.Fatal(err)
	}
	if verdict := c.Find(v, q, false, q.Host); verdict != cache.Miss {
		b.Fatalf("verdict %d, want a miss", verdict)
	}
	c.Answered(v, q, &res)
	v.Append(answer[len(answer)-body:])
	v.Commit()
	v.End()
}

func newCache(b *testing.B) *cache.Cache { return newCacheOf(b, 64<<20) }

func newCacheOf(b *testing.B, size int64) *cache.Cache {
	moment := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC).UnixMilli() // answers keep their length
	c, err := cache.New(b.Context(), cache.Options{
		Memory: memory.Options{Size: size}, Object: 8 << 20, Wait: time.Second,
		Clock: func() int64 { return moment },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	return c
}

func hits(b *testing.B, nc net.Conn, body int, fields string) {
	defer nc.Close()
	const line = "GET / HTTP/1.1\r\nHost: example.org\r\n"
	for range 2 { // the first one stores
		firstAnswer(b, nc, []byte(line+"\r\n"), body)
	}
	request := []byte(line + fields + "\r\n")
	left := body
	switch {
	case strings.HasPrefix(fields, "If-None-Match"):
		left = 0
	case strings.HasPrefix(fields, "Range"):
		left = 100
	}
	answer := firstAnswer(b, nc, request, left)
	if !bytes.Contains(answer, []byte("; hit; ")) {
		b.Fatalf("no hit: %.300q", answer)
	}
	b.SetBytes(int64(left))
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

// firstAnswer is the answer as it came, a head and so many bytes.
func firstAnswer(b *testing.B, nc net.Conn, request []byte, body int) []byte {
	if _, err := nc.Write(request); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, body+(4<<10))
	for n := 0; ; {
		k, err := nc.Read(buf[n:])
		if err != nil {
			b.Fatal(err)
		}
		n += k
		if end := bytes.Index(buf[:n], []byte("\r\n\r\n")); end >= 0 && n >= end+4+body {
			return buf[:n]
		}
	}
}

func newProxyWith(b *testing.B, origin string, c *cache.Cache) *proxy.Proxy {
	return newProxy(b, origin, func(o *proxy.Options) { o.Cache = c })
}
