package edge_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"multiserver/proxy/certs"
	"multiserver/proxy/edge"
)

// udp is a stage's HTTP/3 side.
type udp struct {
	*stage
	quic  *edge.QUIC
	addr  net.Addr
	drain func()
	gone  func() // ends it
	done  chan struct{}
}

func newUDP(t testing.TB, origin string, change func(*limits)) *udp {
	t.Helper()
	store, err := certs.New(certs.Options{SelfSigned: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l := limits{}
	u := &udp{stage: newStage(t, origin, func(of *limits) {
		if change != nil {
			change(of)
		}
		l = *of
	}), done: make(chan struct{})}
	u.quic = u.edge.NewQUIC(edge.QUICOptions{TLS: store.Config, Head: 2 * time.Second, Most: 10, Trust: l.trust})
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.addr = pc.LocalAddr()
	go func() {
		defer close(u.done)
		if err := u.quic.Serve(pc); err != nil {
			t.Error(err)
		}
	}()
	gone, cut := context.WithCancel(context.Background())
	u.gone = cut
	t.Cleanup(func() {
		u.edge.Drain()
		u.quic.Drain(gone)
		cut()
		<-u.done
	})
	u.drain = func() { u.edge.Drain(); u.quic.Drain(gone) }
	return u
}

// client speaks HTTP/3; all requests go over one connection. more changes how
// it does TLS.
func (u *udp) client(more ...func(*http3.Transport)) *http3.Transport {
	tr := &http3.Transport{
		DisableCompression: true,
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true},
		Dial: func(ctx context.Context, _ string, c *tls.Config, q *quic.Config) (*quic.Conn, error) {
			return quic.DialAddrEarly(ctx, u.addr.String(), c, q)
		},
	}
	for _, f := range more {
		f(tr)
	}
	u.t.Cleanup(func() { tr.Close() })
	return tr
}

func (u *udp) request(method, path string, body io.Reader) *http.Request {
	r := u.stage.request(method, path, body)
	r.URL.Scheme = "https"
	return r
}

func TestHTTP3RequestsReachTheOriginAsTheyWereSent(t *testing.T) {
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %v %q", r.Method, r.RequestURI, r.Host, r.TransferEncoding, body)
		for _, name := range []string{"X-A", "Cookie", "Te", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Early-Data", "Content-Length"} {
			fmt.Fprintf(w, " %s=%s", name, strings.Join(r.Header[name], "|"))
		}
	}), nil)
	tr := u.client()
	f := func(method, path string, body io.Reader, fields, want string) {
		t.Helper()
		r := u.request(method, "/", body)
		r.URL.Opaque = "//example.org" + path
		for line := range strings.SplitSeq(fields, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				r.Header.Add(name, value)
			}
		}
		got := all(t, u.do(tr, r).Body)
		if want += " X-Forwarded-For=127.0.0.1 X-Forwarded-Proto=https X-Forwarded-Host=example.org Early-Data="; !strings.HasPrefix(got, want) {
			t.Errorf("%s %s:\n got %s\nwant %s", method, path, got, want)
		}
	}
	f("GET", "/a%2Fb?c=%20d", nil, "", `GET /a%2Fb?c=%20d example.org [] "" X-A= Cookie= Te=`)
	f("GET", "/", nil, "X-A: 1\nX-A: 2", `GET / example.org [] "" X-A=1|2 Cookie= Te=`)
	f("GET", "/", nil, "Cookie: a=b; c=d", `GET / example.org [] "" X-A= Cookie=a=b; c=d Te=`)
	f("GET", "/", nil, "Te: trailers", `GET / example.org [] "" X-A= Cookie= Te=trailers`)
	f("GET", "/", nil, "X-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: http", `GET / example.org [] "" X-A= Cookie= Te=`)
	f("POST", "/", strings.NewReader("hello"), "", `POST / example.org [] "hello" X-A= Cookie= Te=`)
	f("POST", "/", struct{ io.Reader }{strings.NewReader("hello")}, "", `POST / example.org [chunked] "hello" X-A= Cookie= Te=`)
	f("DELETE", "/x", struct{ io.Reader }{strings.NewReader("hello")}, "", `DELETE /x example.org [chunked] "hello" X-A= Cookie= Te=`)
	f("DELETE", "/x", nil, "", `DELETE /x example.org [] "" X-A= Cookie= Te=`)
	f("OPTIONS", "/x", nil, "", `OPTIONS /x example.org [] "" X-A= Cookie= Te=`)
}

func TestHTTP3AnswersReachTheClientAsTheyWereGiven(t *testing.T) {
	f := func(method, answer, want string) {
		t.Helper()
		u := newUDP(t, raw(t, strings.ReplaceAll(answer, "\n", "\r\n")), nil)
		r := u.request(method, "/", nil)
		var early []string
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
				early = append(early, fmt.Sprint(code, h["Link"]))
				return nil
			},
		}))
		res, err := u.client().RoundTrip(r)
		if err != nil {
			if want != "reset" {
				t.Errorf("%q: %v", answer, err)
			}
			return
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		got := fmt.Sprintf("%v%d %d %q", early, res.StatusCode, res.ContentLength, body)
		for _, name := range []string{"X-A", "X-T", "Content-Type", "Connection", "Keep-Alive", "Transfer-Encoding"} {
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
	f("GET", ok+"X-A: 1\nTransfer-Encoding: chunked\nTrailer: X-T\n\n2\nhi\n0\nX-T: 1\n\n", `[]200 -1 "hi" X-A=1 map[X-T:[1]]`)
	f("GET", ok+"Transfer-Encoding: chunked\n\n2\nhi\n0\nX-T: 1\n\n", `[]200 -1 "hi" map[X-T:[1]]`)
	f("GET", ok+"Connection: keep-alive, x-a\nKeep-Alive: 5\nX-A: 1\nContent-Length: 0\n\n", `[]200 0 ""`)
	f("GET", "HTTP/1.1 204 No Content\nX-A: 1\n\n", `[]204 0 "" X-A=1`)
	f("GET", "HTTP/1.1 304 Not Modified\nX-A: 1\n\n", `[]304 -1 "" X-A=1`)
	f("HEAD", ok+"Content-Length: 5\n\n", `[]200 5 ""`)
	f("HEAD", ok+"Transfer-Encoding: chunked\n\n", `[]200 -1 ""`)
	f("GET", "HTTP/1.1 103 Early Hints\nLink: a\n\n"+ok+"X-A: 1\nContent-Length: 2\n\nhi", `[103 [a]]200 2 "hi" X-A=1`)
	f("GET", "HTTP/1.1 404 Not Found\nContent-Length: 2\n\nno", `[]404 2 "no"`)
	f("GET", ok+"Content-Length: 5\n\nhi", "reset")
	f("GET", ok+"Transfer-Encoding: chunked\n\n2\nhi\n", "reset")
}

func TestHTTP3BodiesFlowBothWaysAtOnce(t *testing.T) {
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		w.(http.Flusher).Flush()
		buf := make([]byte, 100)
		for {
			n, err := r.Body.Read(buf)
			w.Write(buf[:n])
			w.(http.Flusher).Flush()
			if err != nil {
				return
			}
		}
	}), nil)
	in, out := io.Pipe()
	res := u.do(u.client(), u.request("POST", "/", in))
	buf := make([]byte, 100)
	for i := range 20 {
		said := fmt.Sprintf("piece %d", i)
		io.WriteString(out, said)
		if n, err := io.ReadFull(res.Body, buf[:len(said)]); string(buf[:n]) != said {
			t.Fatalf("%q, %v, want %q", buf[:n], err, said)
		}
	}
	out.Close()
	if rest := all(t, res.Body); rest != "" {
		t.Errorf("%q behind the end", rest)
	}
}

func TestHTTP3TrailersOfRequestsPass(t *testing.T) {
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		body := all(t, r.Body)
		fmt.Fprintf(w, "%s %v", body, r.Trailer)
	}), nil)
	r := u.request("POST", "/", struct{ io.Reader }{strings.NewReader("hello")})
	r.Trailer = http.Header{"X-Sum": {"42"}}
	if got, want := all(t, u.do(u.client(), r).Body), "hello map[X-Sum:[42]]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestHTTP3LargeBodiesPassBothWays(t *testing.T) {
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Write(b)
	}), nil)
	tr := u.client()
	want := bytes.Repeat([]byte("0123456789abcde\n"), 1<<18) // 4 MiB
	for _, body := range []io.Reader{bytes.NewReader(want), struct{ io.Reader }{bytes.NewReader(want)}} {
		got := all(t, u.do(tr, u.request("PUT", "/", body)).Body)
		if got != string(want) {
			t.Errorf("%d bytes came back of %d", len(got), len(want))
		}
	}
}

func TestHTTP3ManyStreamsAtOnceGetTheirOwnAnswers(t *testing.T) {
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	}), nil)
	tr := u.client()
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			for j := range 10 {
				path := fmt.Sprintf("/%d/%d", i, j)
				body := strings.Repeat(path, 1+i*j)
				res := u.do(tr, u.request("POST", path, strings.NewReader(body)))
				if got := all(t, res.Body); got != path+" "+body {
					t.Errorf("%s: %.100q", path, got)
				}
			}
		})
	}
	wg.Wait()
	if n := u.p.Stats.Clients.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestUpstreamIsLeftWhenTheHTTP3ClientResets(t *testing.T) {
	f := func(name, method, first string, body io.Reader) {
		t.Helper()
		origin, asked, left := waiting(t, first)
		u := newUDP(t, origin, nil)
		r := u.request(method, "/", body)
		ctx, cancel := context.WithCancel(r.Context())
		go func() {
			<-asked
			cancel()
		}()
		if res, err := u.client().RoundTrip(r.WithContext(ctx)); err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
			if err == nil {
				t.Errorf("%s: the answer ended well", name)
			}
		}
		select {
		case <-left:
		case <-time.After(patience):
			t.Errorf("%s: the upstream is held", name)
		}
	}
	in, out := io.Pipe()
	f("while it sends", "POST", "", in)
	out.Close()
	f("before an answer", "GET", "", nil)
	f("within an answer", "GET", "some", nil)
}

func TestHTTP3HeadsThatAreTooLongAreRefused(t *testing.T) {
	u := newUDP(t, app(t, func(http.ResponseWriter, *http.Request) {}), func(l *limits) {
		l.edge.MaxHead, l.proxy.MaxHead = 2<<10, 2<<10
	})
	tr := u.client()
	for _, size := range []int{3 << 10, 100 << 10} { // seen by the core, and by quic-go
		r := u.request("GET", "/", nil)
		r.Header.Set("X-A", strings.Repeat("a", size))
		if res := u.do(tr, r); res.StatusCode != 431 {
			t.Errorf("%d: %s", size, res.Status)
		}
	}
}

func TestHTTP3DrainLetsStreamsEnd(t *testing.T) {
	origin, asked, _ := waiting(t, "some")
	u := newUDP(t, origin, nil)
	busy, idle := u.client(), u.client()
	res := u.do(busy, u.request("GET", "/", nil))
	<-asked
	r := u.request("GET", "/", nil)
	r.Method = "TRACE" // is answered here
	all(t, u.do(idle, r).Body)
	await(t, "both connections", func() bool { return u.p.Stats.Clients.Load() == 2 })
	u.drain()
	await(t, "the idle connection to end", func() bool { return u.p.Stats.Clients.Load() == 1 })
	buf := make([]byte, 4)
	if n, err := io.ReadFull(res.Body, buf); err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if res, err := busy.RoundTrip(u.request("GET", "/", nil)); err == nil {
		t.Errorf("a stream behind GOAWAY: %s", res.Status)
	}
	begin := time.Now()
	u.gone()
	if b, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("an answer that was cut off ended well: %q", b)
	}
	<-u.done
	if d := time.Since(begin); d > patience/2 {
		t.Errorf("%v", d)
	}
}

func TestHTTP3ConnectionsWithoutStreamsAreClosed(t *testing.T) {
	u := newUDP(t, app(t, func(http.ResponseWriter, *http.Request) {}), func(l *limits) { l.edge.KeepAlive = 2 * time.Second })
	u.do(u.client(), u.request("GET", "/", nil))
	if n := u.p.Stats.Clients.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	await(t, "its end", func() bool { return u.p.Stats.Clients.Load() == 0 })
}

func TestHTTP3ConnectionsAreBounded(t *testing.T) {
	u := newUDP(t, app(t, func(http.ResponseWriter, *http.Request) {}), nil)
	for range 10 {
		u.do(u.client(), u.request("GET", "/", nil))
	}
	if res, err := u.client().RoundTrip(u.request("GET", "/", nil)); err == nil {
		t.Errorf("one more than allowed: %s", res.Status)
	}
	if n := u.quic.Stats.Refused.Load(); n == 0 {
		t.Error("not counted")
	}
}

// Who opens streams and resets them has no more of them under way than there
// may be at once, however fast: a stream counts until we have let go of it.
func TestHTTP3ResetStreamsCountUntilTheWorkForThemEnds(t *testing.T) {
	var now, most, all atomic.Int64
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		all.Add(1)
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		<-r.Context().Done()
		now.Add(-1)
	}), func(l *limits) { l.edge.Streams = 4 })
	c, err := quic.DialAddr(t.Context(), u.addr.String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0x100, "")
	cc := new(http3.Transport).NewClientConn(c)
	for n := range int64(9) {
		str, err := cc.OpenRequestStream(t.Context())
		if err == nil {
			err = str.SendRequestHeader(u.request("POST", "/", nil))
		}
		if err != nil {
			t.Fatal(err)
		}
		await(t, "the origin to be asked", func() bool { return all.Load() > n })
		str.CancelWrite(0x10c)
		str.CancelRead(0x10c)
	}
	if n := most.Load(); n > 6 { // an origin, too, sees it a little late
		t.Errorf("%d at once", n)
	}
}

// hold is a way to the server on which its answers wait until they may go on.
type hold struct {
	addr net.Addr
	free chan struct{}
}

func newHold(t *testing.T, to net.Addr) *hold {
	near, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	far, err := net.Dial("udp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	h := &hold{near.LocalAddr(), make(chan struct{})}
	client := make(chan net.Addr, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := near.ReadFrom(buf)
			if err != nil {
				return
			}
			select {
			case client <- from:
			default:
			}
			far.Write(buf[:n])
		}
	})
	wg.Go(func() {
		buf := make([]byte, 2000)
		for first := net.Addr(nil); ; {
			n, err := far.Read(buf)
			if err != nil {
				return
			}
			<-h.free
			if first == nil {
				first = <-client
			}
			near.WriteTo(buf[:n], first)
		}
	})
	t.Cleanup(func() { near.Close(); far.Close(); wg.Wait() })
	return h
}

func TestOnlyHarmlessRequestsArePassedOnBeforeTheHandshakeEnds(t *testing.T) {
	asked := make(chan string, 10)
	u := newUDP(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Early-Data")
	}), nil)
	tickets := told{tls.NewLRUClientSessionCache(1), make(chan struct{}, 10)}
	conf := &tls.Config{InsecureSkipVerify: true, ServerName: "localhost", NextProtos: []string{"h3"}, ClientSessionCache: tickets}
	dial := func(to net.Addr) (*http3.ClientConn, *quic.Conn) {
		c, err := quic.DialAddrEarly(t.Context(), to.String(), conf, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.CloseWithError(0x100, "") })
		return new(http3.Transport).NewClientConn(c), c
	}
	first, c := dial(u.addr)
	all(t, u.do(first, u.request("GET", "/first", nil)).Body)
	<-tickets.put
	c.CloseWithError(0x100, "")
	if got := <-asked; got != "GET /first " {
		t.Errorf("%q", got)
	}

	way := newHold(t, u.addr)
	early, c := dial(way.addr)
	send := func(method, path string) *http3.RequestStream {
		t.Helper()
		str, err := early.OpenRequestStream(t.Context())
		if err == nil {
			err = str.SendRequestHeader(u.request(method, path, nil))
		}
		if err != nil {
			t.Fatal(err)
		}
		return str
	}
	post := send("POST", "/post")
	post.Close()
	get := send("GET", "/get")
	get.Close()
	f := func(want string) {
		t.Helper()
		select {
		case got := <-asked:
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		case <-time.After(patience):
			t.Errorf("in vain: %s", want)
		}
	}
	f("GET /get 1")
	await(t, "POST to come", func() bool { return u.quic.Stats.Waited.Load() == 1 })
	select {
	case got := <-asked:
		t.Errorf("%q before the handshake's end", got)
	case <-time.After(200 * time.Millisecond):
	}
	close(way.free)
	f("POST /post ")
	for _, str := range []*http3.RequestStream{get, post} {
		if res, err := str.ReadResponse(); err != nil || res.StatusCode != 200 {
			t.Errorf("%v, %v", res, err)
		}
	}
	if !c.ConnectionState().Used0RTT {
		t.Error("0-RTT was not used")
	}
}

// told is a cache of tickets that says when there is one.
type told struct {
	tls.ClientSessionCache
	put chan struct{}
}

func (c told) Put(key string, s *tls.ClientSessionState) {
	if c.ClientSessionCache.Put(key, s); s != nil {
		c.put <- struct{}{}
	}
}
