package filter

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"multiserver/proxy/wire"
)

// page is an app whose answers are as their query says: n bytes of type t,
// chunked without a length, more fields, and a status.
func page(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("ETag", `"tag"`)
	h.Set("Accept-Ranges", "bytes")
	for _, f := range q["f"] {
		name, value, _ := strings.Cut(f, ":")
		h.Set(name, value)
	}
	if q.Get("match") != "" && strings.Contains(r.Header.Get("If-None-Match"), `"tag"`) {
		w.WriteHeader(304)
		return
	}
	n, _ := strconv.Atoi(q.Get("n"))
	body := text(n)
	if q.Get("chunked") == "" {
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if s, err := strconv.Atoi(q.Get("s")); err == nil {
		w.WriteHeader(s)
	}
	for len(body) > 0 && r.Method != "HEAD" {
		piece := body[:min(len(body), 5000)]
		_, _ = io.WriteString(w, piece)
		if body = body[len(piece):]; q.Get("chunked") != "" {
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func text(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d of a page\n", i*i)
	}
	return b.String()[:n]
}

func decoded(t *testing.T, coding, body string) string {
	t.Helper()
	var r io.Reader
	var err error
	switch coding {
	case "":
		return body
	case "gzip":
		r, err = gzip.NewReader(strings.NewReader(body))
	case "br":
		r = brotli.NewReader(strings.NewReader(body))
	case "zstd":
		r, err = zstd.NewReader(strings.NewReader(body))
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Errorf("%s: %v", coding, err)
	}
	return string(b)
}

func TestCompress(t *testing.T) {
	addr := startBefore(t, page, nil, made(t, "compress", ""))
	f := func(line, accept, want string) {
		t.Helper()
		more := []string{"Accept-Encoding: " + accept}
		if accept == "-" {
			more = nil
		}
		if strings.Contains(line, "match") {
			more = append(more, `If-None-Match: W/"tag"`)
		}
		res, body := ask(t, addr, line, more...)
		h := res.Header
		got := fmt.Sprint(res.StatusCode, h["Content-Encoding"], h["Vary"], h["Etag"], h["Accept-Ranges"])
		if got != want {
			t.Errorf("%s %q: %s, want %s", line, accept, got, want)
		}
		_, n, _ := strings.Cut(line, "n=")
		n, _, _ = strings.Cut(n, "&")
		if size, _ := strconv.Atoi(n); res.StatusCode == 200 && res.Request.Method == "GET" && !strings.Contains(line, "Content-Encoding") && decoded(t, h.Get("Content-Encoding"), body) != text(size) {
			t.Errorf("%s %q: %d bytes do not decode to what was sent", line, accept, len(body))
		}
	}
	const weak, strong = `[W/"tag"] []`, `["tag"] [bytes]`
	f("GET /?n=9000", "gzip", "200 [gzip] [Accept-Encoding] "+weak)
	f("GET /?n=9000", "gzip, br", "200 [br] [Accept-Encoding] "+weak)
	f("GET /?n=9000", "zstd, gzip, br", "200 [zstd] [Accept-Encoding] "+weak)
	f("GET /?n=9000", "zstd;q=0.5, gzip;q=0.9, br;q=0.8", "200 [gzip] [Accept-Encoding] "+weak)
	f("GET /?n=9000", "X-GZIP", "200 [gzip] [Accept-Encoding] "+weak)
	f("GET /?n=9000", "*", "200 [zstd] [Accept-Encoding] "+weak)
	f("GET /?n=9000", "*;q=0.1, zstd;q=0", "200 [br] [Accept-Encoding] "+weak)
	f("GET /?n=9000", "gzip;q=0, deflate", "200 [] [Accept-Encoding] "+strong)
	f("GET /?n=9000", "gzip;q=0.5, identity", "200 [] [Accept-Encoding] "+strong)
	f("GET /?n=9000", "gzip;q=2", "200 [] [Accept-Encoding] "+strong)
	f("GET /?n=9000", "", "200 [] [Accept-Encoding] "+strong)
	f("GET /?n=9000", "-", "200 [] [Accept-Encoding] "+strong)
	for _, coding := range []string{"gzip", "br", "zstd"} { // in pieces, and as the kernel takes them
		f("GET /?n=900000", coding, "200 ["+coding+"] [Accept-Encoding] "+weak)
		f("GET /?n=900000&chunked=1", coding, "200 ["+coding+"] [Accept-Encoding] "+weak)
		f("GET /?n=10&chunked=1", coding, "200 ["+coding+"] [Accept-Encoding] "+weak)
	}
	f("GET /?n=1023", "gzip", "200 [] [] "+strong)
	f("GET /?n=1024", "gzip", "200 [gzip] [Accept-Encoding] "+weak)
	f("HEAD /?n=9000", "gzip", "200 [gzip] [Accept-Encoding] "+weak)
	f("HEAD /?n=10", "gzip", "200 [] [] "+strong)
	f("GET /?n=9000&s=404", "gzip", "404 [gzip] [Accept-Encoding] "+weak)
	f("GET /?n=0&s=204", "gzip", "204 [] [] "+strong)
	f("GET /?n=9000&s=206&f=Content-Range:bytes+0-8999/10000", "gzip", "206 [] [] "+strong)
	f("GET /?n=9000&f=Content-Encoding:br", "gzip", "200 [br] [] "+strong)
	f("GET /?n=9000&f=Cache-Control:private,+No-Transform", "gzip", "200 [] [] "+strong)
	f("GET /?n=9000&f=Content-Type:image/png", "gzip", "200 [] [] "+strong)
	f("GET /?n=9000&f=Content-Type:image/svg%2Bxml", "gzip", "200 [gzip] [Accept-Encoding] "+weak)
	f("GET /?n=9000&f=Content-Type:application/ld%2Bjson", "gzip", "200 [gzip] [Accept-Encoding] "+weak)
	f("GET /?n=9000&f=Content-Type:text/event-stream", "gzip", "200 [] [] "+strong)
	f("GET /?n=9000&f=Content-Type:application/grpc%2Bjson", "gzip", "200 [] [] "+strong)
	f("GET /?n=9000&f=Vary:accept-encoding", "gzip", "200 [gzip] [accept-encoding] "+weak)
	f("GET /?n=9000&f=Vary:Origin", "gzip", "200 [gzip] [Origin Accept-Encoding] "+weak)
	f("GET /?n=9000&f=ETag:W/%22a%22", "gzip", `200 [gzip] [Accept-Encoding] [W/"a"] []`)
	f("GET /?n=9000&match=1", "gzip", `304 [] [] [W/"tag"] [bytes]`)
	f("GET /?n=9000&match=1&f=Vary:Origin", "gzip", `304 [] [Origin Accept-Encoding] [W/"tag"] [bytes]`)
}

func TestCompressedIsSized(t *testing.T) {
	addr := startBefore(t, page, nil, made(t, "compress", "codings: [gzip]"))
	f := func(n int, query, proto string, want string) {
		t.Helper()
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(nc, "GET /?n=%d%s %s\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n", n, query, proto)
		res, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		got := fmt.Sprint(res.ContentLength == int64(len(body)), res.TransferEncoding, res.Close, err)
		if got != want || decoded(t, "gzip", string(body)) != text(n) {
			t.Errorf("%d %s: %s, want %s", n, proto, got, want)
		}
	}
	f(2000, "", "HTTP/1.1", "true [] false <nil>")
	f(2000, "", "HTTP/1.0", "true [] true <nil>")
	f(900000, "", "HTTP/1.1", "false [chunked] false <nil>")
	f(900000, "", "HTTP/1.0", "false [] true <nil>")
	f(2000, "&chunked=1", "HTTP/1.1", "false [chunked] false <nil>")
}

// A client waits for each piece of a body without a length before the next one
// is made: whoever kept any of it back would wait for ever.
func TestCompressedPiecesDoNotLinger(t *testing.T) {
	heard := make(chan bool)
	addr := startBefore(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 5 {
			fmt.Fprintf(w, "data: %d\n\n", i)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-heard:
			case <-time.After(20 * time.Second):
			}
		}
	}, nil, made(t, "compress", "types: [text/event-stream]"))
	for _, c := range []string{"gzip", "br", "zstd"} {
		req, _ := http.NewRequest("GET", "http://"+addr, nil)
		req.Header.Set("Accept-Encoding", c)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader
		switch c {
		case "gzip":
			r, err = gzip.NewReader(res.Body)
		case "br":
			r = brotli.NewReader(res.Body)
		case "zstd":
			r, err = zstd.NewReader(res.Body, zstd.WithDecoderConcurrency(1))
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(r)
		for i := range 5 {
			line, err := lines.ReadString('\n')
			if _, err2 := lines.ReadString('\n'); line != fmt.Sprintf("data: %d\n", i) || err != nil || err2 != nil {
				t.Fatalf("%s: %q, %v, %v", c, line, err, err2)
			}
			heard <- true
		}
		_ = res.Body.Close()
	}
}

// What is stored is what was encoded, once for all who accept the same.
func TestCompressedOnceAndKept(t *testing.T) {
	var asked atomic.Int64
	addr := startBefore(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		page(w, r)
	}, newCache(t), made(t, "compress", ""))
	f := func(n int64, want string, more ...string) (body string) {
		t.Helper()
		const path = "/?n=50000&match=1&f=Cache-Control:max-age=60"
		res, body := ask(t, addr, "GET "+path, more...)
		h := res.Header
		got := fmt.Sprint(res.StatusCode, h["Content-Encoding"], h["Vary"], h["Etag"], h["Content-Range"])
		if got != want || asked.Load() != n {
			t.Errorf("%q: %s after %d times, want %s after %d; %s", more, got, asked.Load(), want, n, h["Cache-Status"])
		}
		if res.StatusCode == 200 && decoded(t, h.Get("Content-Encoding"), body) != text(50000) {
			t.Errorf("%q: not what was sent", more)
		}
		return body
	}
	const tag = ` [Accept-Encoding] [W/"tag"] []`
	whole := f(1, "200 [br]"+tag, "Accept-Encoding: gzip, br")
	f(1, "200 [br]"+tag, "Accept-Encoding: br,gzip;q=0.9")
	f(2, "200 [gzip]"+tag, "Accept-Encoding: gzip")
	f(2, "200 [gzip]"+tag, "Accept-Encoding: x-gzip")
	f(3, `200 [] [Accept-Encoding] ["tag"] []`)
	f(3, `200 [] [Accept-Encoding] ["tag"] []`)
	f(4, "200 [zstd]"+tag, "Accept-Encoding: gzip, deflate, br, zstd")
	f(4, "200 [br]"+tag, "Accept-Encoding: gzip, br")
	f(4, "304 []"+tag, "Accept-Encoding: gzip, br", `If-None-Match: W/"tag"`)
	f(4, "304 []"+tag, "Accept-Encoding: gzip, br", `If-None-Match: "tag"`)
	f(4, "200 [br]"+tag, "Accept-Encoding: gzip, br", "Range: bytes=10-19", `If-Range: W/"tag"`)
	part := f(4, fmt.Sprintf(`206 [br] [Accept-Encoding] [W/"tag"] [bytes 10-19/%d]`, len(whole)), "Accept-Encoding: gzip, br", "Range: bytes=10-19")
	if part != whole[10:20] {
		t.Errorf("part %q is none of the whole", part)
	}
	f(5, "200 [br]"+tag, "Accept-Encoding: gzip, br", "Cache-Control: no-cache") // confirmed by a 304 with the strong tag
	f(5, "200 [br]"+tag, "Accept-Encoding: gzip, br")
	res, _ := ask(t, addr, "HEAD /?n=50000&match=1&f=Cache-Control:max-age=60", "Accept-Encoding: gzip, br", "Cache-Control: no-cache")
	if res.StatusCode != 200 {
		t.Error(res.Status)
	}
	f(6, "200 [br]"+tag, "Accept-Encoding: gzip, br") // HEAD has dropped nothing
}

// Where too many encoders are at work, answers go as they came.
func TestEncodersAreBounded(t *testing.T) {
	addr := startBefore(t, page, nil, made(t, "compress", ""))
	idle := func() {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); working.Load() != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("encoders at work take %d", working.Load())
			}
		}
	}
	idle() // those of other tests may still be at work
	plain := Stats.Plain.Load()
	working.Store(mostWorking)
	res, body := ask(t, addr, "GET /?n=9000", "Accept-Encoding: gzip")
	if Stats.Plain.Load() == plain {
		t.Error("not counted")
	}
	if working.Store(0); res.Header.Get("Content-Encoding") != "" || res.Header.Get("Vary") == "" || body != text(9000) {
		t.Errorf("%q, %d bytes", res.Header, len(body))
	}
	endless := startBefore(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		for err := error(nil); err == nil; {
			_, err = io.WriteString(w, text(10_000))
		}
	}, nil, made(t, "compress", ""))
	for range 20 { // clients that leave give theirs back
		nc, err := net.Dial("tcp", endless)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(nc, "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n")
		_, _ = io.ReadFull(nc, make([]byte, 1000))
		_ = nc.Close()
	}
	idle()
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"gzip", "gzip, br;q=0.5", "*;q=0", "identity;q=1.000,zstd;q=0.001", ";;,,q=", "gzip;q=1.5"} {
		f.Add(s)
	}
	c := &compress{codings: []*codec{&codecs[0], &codecs[1], &codecs[2]}}
	f.Fuzz(func(t *testing.T, s string) {
		var q wire.Request
		if _, err := q.Parse([]byte("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: " + s + "\r\n\r\n")); err != nil {
			return
		}
		got := c.choose(&q)
		if got == nil {
			return
		}
		lower := bytes.ToLower([]byte(s))
		if !bytes.Contains(lower, []byte(got.name)) && !bytes.Contains(lower, []byte("*")) {
			t.Errorf("%q: %s, which is not named", s, got.name)
		}
	})
}
