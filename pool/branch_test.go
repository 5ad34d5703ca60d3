package pool

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"

	"multiserver/pool/stream"
	"multiserver/proxy/wire"
)

// h2Origin is an upstream that speaks HTTP/2 in the clear, and HTTP/1.1 too
// unless it is told not to.
func h2Origin(t *testing.T, secure bool, h http.HandlerFunc) (*httptest.Server, Target) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(!secure)
	s.Config.Protocols.SetHTTP2(secure)
	s.Config.Protocols.SetHTTP1(true)
	if s.EnableHTTP2 = secure; secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	addr := s.Listener.Addr().String()
	return s, Target{Name: "h2c://" + addr, Network: "tcp", Addr: addr, Host: addr, Weight: 1, H2: true, TLS: secure}
}

func tells(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%s %s %s", r.Proto, r.Method, b)
}

func TestHTTP2Upstream(t *testing.T) {
	_, target := h2Origin(t, false, tells)
	p := newPool(t, nil)
	p.Set([]Target{target})
	u := p.Upstreams()[0]
	for range 3 {
		if body := ask(t, u, get("/")); body != "HTTP/2.0 GET " {
			t.Errorf("answered %q", body)
		}
		if body := ask(t, u, post("/")); body != "HTTP/2.0 POST body" {
			t.Errorf("answered %q", body)
		}
	}
	if d, r := u.Stats.Dialed.Load(), u.Stats.Reused.Load(); d != 1 || r != 5 {
		t.Errorf("%d dialed, %d reused; want 1 and 5", d, r)
	}
	await(t, "it to be idle", func() bool { return u.Idle() == 1 })
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { _, _ = try(u, get("/")) })
	}
	wg.Wait()
	p.Set(nil)
	await(t, "it to be closed", func() bool { return u.Idle() == 0 })
	if _, f := try(u, get("/")); f == nil || f.Sent {
		t.Errorf("%v from who is no member, want a fault with nothing sent", f)
	}
}

func TestHTTP2UpstreamByTLS(t *testing.T) {
	s, target := h2Origin(t, true, tells)
	plain := httptest.NewTLSServer(http.HandlerFunc(tells))
	defer plain.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	p := newPool(t, func(o *Options) { o.TLS = &tls.Config{RootCAs: roots} })
	other := target
	other.Addr, other.Name = plain.Listener.Addr().String(), "other"
	p.Set([]Target{target, other})
	if body := ask(t, p.Upstreams()[0], get("/")); body != "HTTP/2.0 GET " {
		t.Errorf("answered %q", body)
	}
	if _, f := try(p.Upstreams()[1], get("/")); f == nil || f.Reason != NoHandshake || f.Sent {
		t.Errorf("%v from one that offers no HTTP/2", f)
	}
}

func TestAnHTTP1ServerIsNoHTTP2Upstream(t *testing.T) {
	o := newOrigin(t)
	p := newPool(t, nil)
	target := o.target()
	target.H2 = true
	p.Set([]Target{target})
	u := p.Upstreams()[0]
	if _, f := try(u, get("/")); f == nil || f.Reason != NoHandshake || f.Sent {
		t.Errorf("%v, want %v with nothing sent", f, NoHandshake)
	}
	if err := u.check(); !stream.NoHTTP2(err) {
		t.Errorf("check: %v", err)
	}
}

func TestHTTP2UpstreamsAreCheckedByHTTP2(t *testing.T) {
	var status atomic.Int64
	status.Store(200)
	_, target := h2Origin(t, false, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || r.URL.Path != "/healthz" {
			w.WriteHeader(400)
			return
		}
		w.WriteHeader(int(status.Load()))
	})
	for _, path := range []string{"/healthz", ""} {
		p := newPool(t, func(o *Options) { o.Check.Path, o.Check.Timeout = path, patience })
		p.Set([]Target{target})
		u := p.Upstreams()[0]
		f := func(code int64, well bool) {
			t.Helper()
			status.Store(code)
			if err := u.check(); (err == nil) != well {
				t.Errorf("%q, %d: %v", path, code, err)
			}
		}
		f(200, true)
		f(503, path == "")
		f(302, true)
	}
}

// A connection that dies under a request that may be sent twice costs another
// connection; one that may not is not sent again.
func TestAnHTTP2ConnectionThatDies(t *testing.T) {
	var posts, gets atomic.Int64
	s, target := h2Origin(t, false, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &gets
		if r.Method == "POST" {
			n = &posts
		}
		if n.Add(1) == 2 {
			go s.CloseClientConnections()
			<-r.Context().Done()
			return
		}
		tells(w, r)
	})
	p := newPool(t, nil)
	p.Set([]Target{target})
	u := p.Upstreams()[0]
	for range 3 {
		ask(t, u, get("/"))
	}
	if n := gets.Load(); n != 4 {
		t.Errorf("%d GETs for 3", n)
	}
	ask(t, u, post("/"))
	if _, f := try(u, post("/")); f == nil || f.Reason != Broken || !f.Sent {
		t.Errorf("%v, want %v", f, Broken)
	}
	if n := posts.Load(); n != 2 {
		t.Errorf("%d POSTs for 2", n)
	}
}

func TestFaultsOfStreams(t *testing.T) {
	reset := func(c http2.ErrCode) error { return http2.StreamError{StreamID: 1, Code: c} }
	f := func(err error, side Side, reason Reason) {
		t.Helper()
		if got := answerFault(true, err); got.Side != side || got.Reason != reason || !got.Sent {
			t.Errorf("%v: %+v", err, got)
		}
	}
	f(reset(http2.ErrCodeInternal), Peer, Broken)
	f(reset(http2.ErrCodeCancel), Self, Broken)
	f(errors.New("anything"), Peer, Broken)
	if got := BodyFault(reset(http2.ErrCodeCancel)); got.Side != Self || got.Reason != CutShort {
		t.Errorf("%+v", got)
	}
}

// An upload whose answer is waited for, and each side's end.
func TestAStreamIsNotKept(t *testing.T) {
	_, target := h2Origin(t, false, tells)
	p := newPool(t, nil)
	p.Set([]Target{target})
	u := p.Upstreams()[0]
	l, f := u.Open(nil)
	if f != nil {
		t.Fatal(f)
	}
	if !l.Stream() {
		t.Error("not a stream")
	}
	if err := l.Write([]byte(post("/")), nil); err != nil {
		t.Fatal(err)
	}
	var res wire.Response
	if f := l.Answer(&res, patience); f != nil || res.Status != 200 {
		t.Fatal(f, res.Status)
	}
	l.Keep()
	if n := u.idle.pop(); n != nil {
		t.Error("it was kept")
	}
}
