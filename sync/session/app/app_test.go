package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"multiserver/sync/session"
	"multiserver/sync/session/memory"
)

// act does what a request's path says, and tells what there is.
func act(s *Session, path string) string {
	for _, step := range strings.Split(strings.Trim(path, "/"), "/") {
		key, value, _ := strings.Cut(step, "=")
		switch key {
		case "":
		case "rotate":
			s.Rotate()
		case "destroy":
			s.Destroy()
		case "unchanged":
			s.IfUnchanged()
		case "age":
			s.MaxAge(time.Hour)
		case "delete":
			s.Delete(value)
		case "count":
			var n int
			s.Get("count", &n)
			s.Set("count", n+1)
		default:
			s.Set(key, value)
		}
	}
	var user string
	var count int
	s.Get("user", &user)
	s.Get("count", &count)
	return fmt.Sprintf("user %q count %d version %d err %v", user, count, s.Version(), s.Err())
}

func sessions(t testing.TB, set ...func(*session.Options)) *session.Sessions {
	t.Helper()
	store := memory.Open(0)
	t.Cleanup(func() { store.Close() })
	opt := session.Options{Store: store, Keys: session.NewRing([]byte("a secret of many bytes")), Strict: true, Sign: []byte("between us")}
	for _, f := range set {
		f(&opt)
	}
	s, err := session.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// proxy does for backend what a proxy of ours does.
func proxy(s *session.Sessions, backend http.RoundTripper) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v session.Visit
		out := r.Clone(r.Context())
		out.URL.Scheme, out.URL.Host, out.RequestURI = "http", "backend", ""
		for name := range out.Header {
			if session.Reserved([]byte(name)) {
				delete(out.Header, name)
			}
		}
		s.Offer(&v, []byte(r.Header.Get("Cookie")))
		out.Header.Del("Cookie")
		told, _ := s.Begin(&v, nil)
		for line := range bytes.Lines(told) {
			name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
			out.Header.Set(name, value)
		}
		res, err := backend.RoundTrip(out)
		if err != nil {
			http.Error(w, err.Error(), 502)
			return
		}
		defer res.Body.Close()
		for name, values := range res.Header {
			for _, value := range values {
				if !s.Take(&v, []byte(name), []byte(value)) {
					w.Header().Add(name, value)
				}
			}
		}
		cookie, outcome := s.Finish(&v, nil)
		if outcome == session.Conflict {
			w.WriteHeader(409)
			return
		}
		if value, ok := strings.CutPrefix(strings.TrimSpace(string(cookie)), "Set-Cookie: "); ok {
			w.Header().Add("Set-Cookie", value)
		}
		w.WriteHeader(res.StatusCode)
		io.Copy(w, res.Body)
	})
}

// fast serves a fasthttp handler in memory.
func fast(t testing.TB, h fasthttp.RequestHandler) http.RoundTripper {
	l := fasthttputil.NewInmemoryListener()
	server := &fasthttp.Server{Handler: h}
	done := make(chan struct{})
	go func() { server.Serve(l); close(done) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return l.Dial() }}
	t.Cleanup(func() { transport.CloseIdleConnections(); l.Close(); <-done })
	return transport
}

// slow serves a net/http handler.
func slow(t testing.TB, h http.Handler) http.RoundTripper {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func byHTTP(t testing.TB, a *App) http.RoundTripper {
	return slow(t, a.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, act(From(r.Context()), r.URL.Path))
	})))
}

func byFast(t testing.TB, a *App) http.RoundTripper {
	return fast(t, a.Fast(func(ctx *fasthttp.RequestCtx) {
		ctx.WriteString(act(FromFast(ctx), string(ctx.Path())))
	}))
}

// ways are all the places and servers an application can have.
func ways(t *testing.T) map[string]http.RoundTripper {
	b := Proxy{Key: []byte("between us")}
	one, two := sessions(t), sessions(t)
	all := others(t)
	maps.Copy(all, map[string]http.RoundTripper{
		"net/http, direct": byHTTP(t, Direct(sessions(t))),
		"fasthttp, direct": byFast(t, Direct(sessions(t))),
		"net/http, behind": slow(t, proxy(one, byHTTP(t, Behind(b)))),
		"fasthttp, behind": slow(t, proxy(two, byFast(t, Behind(b)))),
	})
	return all
}

type browser struct {
	t *testing.T
	http.Client
}

func newBrowser(t *testing.T, to http.RoundTripper) *browser {
	jar, _ := cookiejar.New(nil)
	return &browser{t, http.Client{Transport: to, Jar: jar, Timeout: 30 * time.Second}}
}

func (b *browser) get(path string) (string, *http.Response) {
	b.t.Helper()
	res, err := b.Get("http://app.test" + path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return string(body), res
}

func TestHandlersCannotTellWhereTheyAre(t *testing.T) {
	for name, to := range ways(t) {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t, to)
			f := func(path, want string) {
				t.Helper()
				if got, _ := b.get(path); got != want {
					t.Errorf("%s: %s, want %s", path, got, want)
				}
			}
			f("/", `user "" count 0 version 0 err <nil>`)
			f("/user=jörg", `user "jörg" count 0 version 0 err <nil>`)
			f("/count", `user "jörg" count 1 version 1 err <nil>`)
			f("/count/count", `user "jörg" count 3 version 2 err <nil>`)
			f("/rotate/user=anna", `user "anna" count 3 version 3 err <nil>`)
			f("/delete=user/age", `user "" count 3 version 4 err <nil>`)
			f("/", `user "" count 3 version 5 err <nil>`)
			f("/destroy/user=new", `user "new" count 0 version 5 err <nil>`)
			f("/", `user "new" count 0 version 1 err <nil>`)
			f("/destroy", `user "" count 0 version 1 err <nil>`)
			f("/", `user "" count 0 version 0 err <nil>`)
		})
	}
}

func TestConflictsAnswer409(t *testing.T) {
	for name, to := range ways(t) {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t, to)
			b.get("/count")
			if _, res := b.get("/unchanged/count"); res.StatusCode != 200 {
				t.Errorf("nobody else: %d", res.StatusCode)
			}
			codes := make(chan int)
			for range 8 {
				go func() {
					res, err := b.Get("http://app.test/unchanged/count")
					if err != nil {
						codes <- 0
						return
					}
					res.Body.Close()
					codes <- res.StatusCode
				}()
			}
			for range 8 {
				if code := <-codes; code != 200 && code != 409 {
					t.Errorf("status %d", code)
				}
			}
		})
	}
}

func TestAStoreThatIsAwayIsTold(t *testing.T) {
	for _, fail := range []bool{false, true} {
		store := memory.Open(0)
		s := sessions(t, func(o *session.Options) { o.Store, o.Fail = store, fail })
		b := newBrowser(t, byHTTP(t, Direct(s)))
		b.get("/count")
		store.Close()
		body, res := b.get("/count")
		if fail && res.StatusCode != 503 || !fail && !strings.Contains(body, "err "+ErrAway.Error()) {
			t.Errorf("fail %v: %d %s", fail, res.StatusCode, body)
		}
	}
}

func TestWhatTheProxyDidNotSignIsNoSession(t *testing.T) {
	a := Behind(Proxy{Key: []byte("between us")})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Session-Id", "AAAAAAAAAAAAAAAAAAAAAA")
	r.Header.Set("X-Session-Version", "1")
	r.Header.Set("X-Session-Data", `{"user":"root"}`)
	w := httptest.NewRecorder()
	a.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, act(From(r.Context()), "/"))
	})).ServeHTTP(w, r)
	if got := w.Body.String(); !strings.HasPrefix(got, `user "" count 0 version 0`) {
		t.Error(got)
	}
}

func TestLargeDataIsFetched(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Session-Id", "AAAAAAAAAAAAAAAAAAAAAA")
	r.Header.Set("X-Session-Version", "1")
	r.Header.Set("X-Session-Omitted", "5000")
	f := func(fetch func(context.Context, string) ([]byte, error), want string) {
		t.Helper()
		Behind(Proxy{Fetch: fetch}).HTTP(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if got := act(From(r.Context()), "/"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
	f(nil, `user "" count 0 version 1 err `+ErrOmitted.Error())
	f(func(_ context.Context, id string) ([]byte, error) { return []byte(`{"user":"u` + id[:1] + `"}`), nil }, `user "uA" count 0 version 1 err <nil>`)
	f(func(context.Context, string) ([]byte, error) { return nil, errors.New("no way") }, `user "" count 0 version 1 err no way`)
}

func TestStreamsAndUpgradesKeepTheSessionFirst(t *testing.T) {
	to := slow(t, Direct(sessions(t)).HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := From(r.Context())
		switch r.URL.Path {
		case "/stream":
			s.Set("user", "streamed")
			http.NewResponseController(w).Flush()
			s.Set("user", "too late")
		case "/upgrade":
			s.Set("user", "upgraded")
			s.Save()
			conn, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			rw.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\nSet-Cookie: " + w.Header().Get("Set-Cookie") + "\r\n\r\n")
			rw.Flush()
		default:
			io.WriteString(w, act(s, "/"))
		}
	})))
	b := newBrowser(t, to)
	f := func(path, want string) {
		t.Helper()
		b.get(path)
		if got, _ := b.get("/"); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	f("/stream", `user "streamed"`)
	f("/upgrade", `user "upgraded"`)
}
