//go:build !race

package filter

import (
	"bytes"
	"net"
	"testing"

	"multiserver/proxy"
	"multiserver/proxy/wire"
)

// startStill gives the same answer to each request, and allocates nothing for it.
func startStill(t testing.TB, answer string) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
			go func() {
				defer nc.Close()
				out, buf := []byte(answer), make([]byte, 64<<10)
				for n := 0; ; {
					k, err := nc.Read(buf[n:])
					if err != nil {
						return
					}
					if n += k; bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
						n = 0
						_, _ = nc.Write(out)
					}
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// kept is a connection on which exchange after exchange goes by filters.
func kept(t testing.TB, answer, lines string, filters ...proxy.Filter) (exchange func()) {
	t.Helper()
	nc, err := net.Dial("tcp", startTo(t, startStill(t, answer), nil, filters...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	request, got := []byte("GET /api/x?y=z HTTP/1.1\r\nHost: example.org\r\n"+lines+"\r\n"), make([]byte, 64<<10)
	once := func() (n int) {
		if _, err := nc.Write(request); err != nil {
			t.Fatal(err)
		}
		for {
			k, err := nc.Read(got[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += k
			if bytes.HasSuffix(got[:n], []byte("\r\n\r\n")) {
				return n
			}
		}
	}
	want := once()
	return func() {
		if n := once(); n != want {
			t.Fatalf("%d bytes, %d before: %q", n, want, got[:n])
		}
	}
}

const still = "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\nServer: app\r\nX-Powered-By: app\r\nContent-Length: 0\r\n\r\n"

// TestAllocFilters counts the allocations of the whole process for an exchange
// on kept connections.
func TestAllocFilters(t *testing.T) {
	f := func(name string, most float64, filters ...proxy.Filter) {
		t.Helper()
		exchange := kept(t, still, "X-Internal-A: b\r\n", filters...)
		for range 100 {
			exchange()
		}
		if n := testing.AllocsPerRun(1000, exchange); n > most {
			t.Errorf("%s: %v allocations an exchange, want %v", name, n, most)
		}
	}
	ask := made(t, "request-headers", "{set: {X-Client: '{client} {host} {header:x-a}'}, remove: [X-Internal-*]}")
	tell := made(t, "response-headers", "{set: {Server: us, X-Path: '{path}'}, remove: [X-Powered-By]}")
	f("headers", 0, ask, tell)
	f("headers of two", 0, ask, ask, tell, tell)
	f("strip-prefix", 0, made(t, "strip-prefix", "prefix: /api"))
	f("access", 0, made(t, "access", "allow: [127.0.0.0/8]"))
	f("rate-limit", 0, made(t, "rate-limit", "rate: 1000000/s"))
	f("cors", 0, made(t, "cors", "origins: [https://a.test]"))
	f("compress, nothing to do", 0, made(t, "compress", ""))
	f("buffer-request", 0, made(t, "buffer-request", ""))
}

func BenchmarkHeaders(b *testing.B) {
	ask := made(b, "request-headers", "{set: {X-Client: '{client}'}, remove: [X-Internal-*]}")
	tell := made(b, "response-headers", "{set: {Server: us}, remove: [X-Powered-By]}")
	for _, c := range []struct {
		name    string
		filters []proxy.Filter
	}{{"none", nil}, {"both", []proxy.Filter{ask, tell}}} {
		b.Run(c.name, func(b *testing.B) {
			exchange := kept(b, still, "", c.filters...)
			for b.Loop() {
				exchange()
			}
		})
	}
}

// BenchmarkEncode is 16 KiB of text by each coding, with what is left of it.
func BenchmarkEncode(b *testing.B) {
	body := []byte(text(16 << 10))
	for i := range codecs {
		b.Run(codecs[i].name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			var dst []byte
			for b.Loop() {
				e := codecs[i].acquire()
				dst = e.End(e.Append(dst[:0], body))
				e.Release()
			}
			b.ReportMetric(float64(len(dst)), "bytes")
		})
	}
}

func BenchmarkChoose(b *testing.B) {
	f := made(b, "compress", "").(*compress)
	var q wire.Request
	if _, err := q.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\r\n")); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if f.choose(&q) == nil {
			b.Fatal("none")
		}
	}
}
