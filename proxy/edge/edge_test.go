package edge_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

func TestRequestsReachTheOriginAsTheyWereSent(t *testing.T) {
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %v %q", r.Method, r.RequestURI, r.Host, r.TransferEncoding, body)
		for _, name := range []string{"X-A", "Cookie", "Te", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Connection", "Content-Length"} {
			fmt.Fprintf(w, " %s=%s", name, strings.Join(r.Header[name], "|"))
		}
	}), nil)
	tr := s.client()
	f := func(method, path string, body io.Reader, fields, want string) {
		t.Helper()
		r := s.request(method, "/", body)
		r.URL.Opaque = path
		r.Header["User-Agent"] = nil
		for _, line := range strings.Split(fields, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				r.Header.Add(name, value)
			}
		}
		got, _, _ := strings.Cut(all(t, s.do(tr, r).Body), " Connection=")
		if want += " X-Forwarded-For=127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=example.org"; got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", method, path, got, want)
		}
	}
	f("GET", "/a%2Fb?c=%20d", nil, "", `GET /a%2Fb?c=%20d example.org [] "" X-A= Cookie= Te=`)
	f("GET", "/", nil, "X-A: 1\nX-A: 2\nX-A: 3", `GET / example.org [] "" X-A=1|2|3 Cookie= Te=`)
	f("GET", "/", nil, "Cookie: a=b; c=d", `GET / example.org [] "" X-A= Cookie=a=b; c=d Te=`)
	f("GET", "/", nil, "Te: trailers", `GET / example.org [] "" X-A= Cookie= Te=trailers`)
	f("GET", "/", nil, "X-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: https", `GET / example.org [] "" X-A= Cookie= Te=`)
	f("POST", "/", strings.NewReader("hello"), "", `POST / example.org [] "hello" X-A= Cookie= Te=`)
	f("POST", "/", struct{ io.Reader }{strings.NewReader("hello")}, "", `POST / example.org [chunked] "hello" X-A= Cookie= Te=`)
	f("POST", "/", http.NoBody, "", `POST / example.org [] "" X-A= Cookie= Te=`)
	f("DELETE", "/x", nil, "", `DELETE /x example.org [] "" X-A= Cookie= Te=`)
}

func TestAnswersReachTheClientAsTheyWereGiven(t *testing.T) {
	f := func(method, answer, want string) {
		t.Helper()
		s := newStage(t, raw(t, strings.ReplaceAll(answer, "\n", "\r\n")), nil)
		r := s.request(method, "/", nil)
		var early []string
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				early = append(early, fmt.Sprint(code, h["Link"]))
				return nil
			},
		}))
		res, err := s.client().RoundTrip(r)
		if err != nil {
			if want != "reset" {
				t.Errorf("%q: %v", answer, err)
			}
			return
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		got := fmt.Sprintf("%v%d %d %q", early, res.StatusCode, res.ContentLength, body)
		for _, name := range []string{"X-A", "Content-Type", "Connection", "Keep-Alive", "Transfer-Encoding"} {
			if v, ok := res.Header[name]; ok {
				got += fmt.Sprintf(" %s=%s", name, strings.Join(v, "|"))
			}
		}
		if len(res.Trailer) > 0 {
			got += fmt.Sprintf(" %v", res.Trailer)
		}
		if err != nil {
			got = "reset"
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", answer, got, want)
		}
	}
	const ok = "HTTP/1.1 200 OK\n"
	f("GET", ok+"Content-Length: 2\n\nhi", `[]200 2 "hi"`)
	f("GET", ok+"X-A: 1\nX-A: 2\nContent-Type: a/b\nContent-Length: 2\n\nhi", `[]200 2 "hi" X-A=1|2 Content-Type=a/b`)
	f("GET", ok+"Content-Length: 0\n\n", `[]200 0 ""`)
	f("GET", ok+"\nto the end", `[]200 -1 "to the end"`)
	f("GET", ok+"Transfer-Encoding: chunked\n\n2\nhi\n0\n\n", `[]200 -1 "hi"`)
	f("GET", ok+"Transfer-Encoding: chunked\n\n0\n\n", `[]200 -1 ""`)
	f("GET", ok+"Transfer-Encoding: chunked\nTrailer: X-T\n\n2\nhi\n0\nX-T: 1\n\n", `[]200 -1 "hi" map[X-T:[1]]`)
	f("GET", ok+"Transfer-Encoding: chunked\nX-T: 0\n\n2\nhi\n0\nX-T: 1\n\n", `[]200 -1 "hi" map[X-T:[1]]`)
	f("GET", ok+"Connection: keep-alive, x-a\nKeep-Alive: 5\nX-A: 1\nContent-Length: 0\n\n", `[]200 0 ""`)
	f("GET", "HTTP/1.1 204 No Content\nX-A: 1\n\n", `[]204 0 "" X-A=1`)
	f("GET", "HTTP/1.1 304 Not Modified\nX-A: 1\n\n", `[]304 0 "" X-A=1`)
	f("HEAD", ok+"Content-Length: 5\n\n", `[]200 5 ""`)
	f("HEAD", ok+"Transfer-Encoding: chunked\n\n", `[]200 -1 ""`)
	f("GET", "HTTP/1.1 103 Early Hints\nLink: a\n\n"+ok+"X-A: 1\nContent-Length: 2\n\nhi", `[103 [a]]200 2 "hi" X-A=1`)
	f("GET", "HTTP/1.1 404 Not Found\nContent-Length: 2\n\nno", `[]404 2 "no"`)
	f("GET", ok+"Content-Length: 5\n\nhi", "reset")
	f("GET", ok+"Transfer-Encoding: chunked\n\n2\nhi\n", "reset")
}

func TestManyStreamsAtOnceGetTheirOwnAnswers(t *testing.T) {
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	}), nil)
	tr := s.client()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for j := range 20 {
				path := fmt.Sprintf("/%d/%d", i, j)
				body := strings.Repeat(path, 1+i*j)
				res := s.do(tr, s.request("POST", path, strings.NewReader(body)))
				if got := all(t, res.Body); got != path+" "+body {
					t.Errorf("%s: %.100q", path, got)
				}
			}
		})
	}
	wg.Wait()
	if n := s.p.Stats.Clients.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestLargeBodiesPassBothWays(t *testing.T) {
	s := newStage(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Write(b)
	}), nil)
	tr := s.client()
	want := bytes.Repeat([]byte("0123456789abcde\n"), 1<<18) // 4 MiB
	for _, body := range []io.Reader{bytes.NewReader(want), struct{ io.Reader }{bytes.NewReader(want)}} {
		got := all(t, s.do(tr, s.request("PUT", "/", body)).Body)
		if got != string(want) {
			t.Errorf("%d bytes came back of %d", len(got), len(want))
		}
	}
}
