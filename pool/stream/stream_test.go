package stream

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestRequestsAndAnswersPassAsTheyAre(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %d %q %v", r.Method, r.Host, r.RequestURI, r.ContentLength, b, err)
		for _, name := range []string{"X-A", "Te", "Trailer", "User-Agent", "Connection", "Cookie"} {
			if v, ok := r.Header[name]; ok {
				fmt.Fprintf(w, " %s=%q", name, v)
			}
		}
		if len(r.Trailer) > 0 {
			fmt.Fprintf(w, " %v", r.Trailer)
		}
	})
	f := func(request, want string) {
		t.Helper()
		_, got := s.ask(strings.ReplaceAll(request, "\n", "\r\n"))
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", request, got, want)
		}
	}
	f("GET / HTTP/1.1\nHost: a\n\n", `GET a / 0 "" <nil>`)
	f("GET /%2F?a=%zz HTTP/1.1\nHost: a:80\n\n", `GET a:80 /%2F?a=%zz 0 "" <nil>`)
	f("GET //b/c?d HTTP/1.1\nHost: a\n\n", `GET a //b/c?d 0 "" <nil>`)
	f("OPTIONS * HTTP/1.1\nHost: a\n\n", `OPTIONS a * 0 "" <nil>`)
	f("POST / HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc", `POST a / 3 "abc" <nil>`)
	f("POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n", `POST a / 0 "" <nil>`)
	f("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n2\nab\n1\nc\n0\n\n", `POST a / -1 "abc" <nil>`)
	f("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n0\n\n", `POST a / -1 "" <nil>`)
	f("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTrailer: x-t\n\n2\nab\n0\nX-T: v\n\n", `POST a / -1 "ab" <nil> map[X-T:[v]]`)
	f("GET / HTTP/1.1\nHost: a\nX-a: 1\nx-A: 2\n\n", `GET a / 0 "" <nil> X-A=["1" "2"]`)
	f("GET / HTTP/1.1\nHost: a\nTE: trailers\nConnection: TE\nUser-Agent: u\n\n", `GET a / 0 "" <nil> Te=["trailers"] User-Agent=["u"]`)
	f("GET / HTTP/1.1\nHost: a\nCookie: a=b; c=d\nUpgrade: websocket\nConnection: Upgrade\n\n", `GET a / 0 "" <nil> Cookie=["a=b; c=d"]`)
	if n := s.dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
}

func TestAnswersAreFramedByWhatIsKnown(t *testing.T) {
	s := newStage(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		switch r.URL.Path {
		case "/sized":
			w.Header().Set("Content-Length", "3")
			io.WriteString(w, "abc")
		case "/chunked":
			io.WriteString(w, "abc")
			w.(http.Flusher).Flush()
			io.WriteString(w, "def")
		case "/trailers":
			io.WriteString(w, "abc")
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
		case "/announced":
			w.Header().Set("Content-Length", "3")
			w.Header().Set("Trailer", "X-T")
			io.WriteString(w, "abc")
			w.Header().Set("X-T", "v")
		case "/none":
			w.WriteHeader(204)
		case "/only":
			w.Header().Set("Grpc-Status", "5")
		}
	})
	f := func(request, want string) {
		t.Helper()
		nc := s.open()
		defer nc.Close()
		io.WriteString(nc, strings.ReplaceAll(request, "\n", "\r\n"))
		res, body := s.answer(nc, request)
		res.Header.Del("Content-Type")
		got := fmt.Sprintf("%d %d %v %v %q %v", res.StatusCode, res.ContentLength, res.TransferEncoding, res.Header, body, res.Trailer)
		if got != want {
			t.Errorf("%q\n got %s\nwant %s", request, got, want)
		}
	}
	f("GET /sized HTTP/1.1\nHost: a\n\n", `200 3 [] map[Content-Length:[3]] "abc" map[]`)
	f("HEAD /sized HTTP/1.1\nHost: a\n\n", `200 3 [] map[Content-Length:[3]] "" map[]`)
	f("GET /chunked HTTP/1.1\nHost: a\n\n", `200 -1 [chunked] map[] "abcdef" map[]`)
	f("GET /trailers HTTP/1.1\nHost: a\n\n", `200 -1 [chunked] map[] "abc" map[Grpc-Status:[0]]`)
	f("GET /announced HTTP/1.1\nHost: a\nTE: trailers\n\n", `200 -1 [chunked] map[] "abc" map[X-T:[v]]`)
	f("GET /announced HTTP/1.1\nHost: a\n\n", `200 3 [] map[Content-Length:[3]] "abc" map[]`)
	f("GET /none HTTP/1.1\nHost: a\n\n", `204 0 [] map[] "" map[]`)
	f("GET /only HTTP/1.1\nHost: a\n\n", `200 0 [] map[Content-Length:[0] Grpc-Status:[5]] "" map[]`)
}
