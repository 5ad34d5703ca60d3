package proxy

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// What leaves us in either direction is held here against rules written down a
// second time, by name and without regard for speed.

// protected cannot be named away by Connection: framing, identity, credentials
// and what they protect.
var protected = names(`host content-length date via expect max-forwards x-request-id forwarded
	authorization cookie set-cookie content-type content-encoding cache-control`)

// hopByHop are about one connection and go no further, named or not.
var hopByHop = names(`connection keep-alive proxy-connection proxy-authenticate proxy-authorization
	proxy-authentication-info te upgrade transfer-encoding http2-settings proxy`)

func names(list string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(list) {
		m[name] = true
	}
	return m
}

// asserts tells whether a field says who the client is. What reads it through
// CGI knows no difference between "-" and "_".
func asserts(name string) bool {
	name = strings.ReplaceAll(name, "_", "-")
	return name == "forwarded" || name == "x-real-ip" || strings.HasPrefix(name, "x-forwarded-") && name != "x-forwarded-"
}

// line is a header line with its name in lower case.
type line struct{ name, value, raw string }

func lines(h *wire.Head) (all []line) {
	for i := range h.Fields {
		f := &h.Fields[i]
		all = append(all, line{strings.ToLower(string(h.Name(f))), string(h.Value(f)), string(h.Raw[f.At:f.End])})
	}
	return all
}

// named are the fields that Connection names and that may be named.
func named(all []line) map[string]bool {
	m := map[string]bool{}
	for _, l := range all {
		if l.name != "connection" {
			continue
		}
		for name := range strings.SplitSeq(l.value, ",") {
			if name = strings.ToLower(strings.Trim(name, " \t")); !protected[name] && !asserts(name) {
				m[name] = true
			}
		}
	}
	return m
}

// endToEnd are the lines that pass as they are, in order.
func endToEnd(all []line, but func(line) bool) (out []string) {
	away := named(all)
	for _, l := range all {
		if !away[l.name] && !hopByHop[l.name] && !asserts(l.name) && !but(l) {
			out = append(out, l.raw)
		}
	}
	return out
}

// aConn has addresses and nothing else.
type aConn struct{ net.Conn }

func (aConn) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80} }
func (aConn) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 7), Port: 4711}
}

// newExchange is one of a client at 198.51.100.7, trusted or not.
func newExchange(t testing.TB, trusted bool) (*Exchange, *pool.Upstream) {
	guard := wire.NewGuard()
	ups := pool.New(pool.Options{Guard: guard, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	t.Cleanup(func() {
		ups.Close()
		guard.Close()
	})
	ups.Set([]pool.Target{{Name: "http://app", Network: "tcp", Addr: "app:80", Host: "app", Weight: 1}})
	o := Options{Guard: guard, Route: Route{Pool: &Pool{Pool: ups}}}
	if trusted {
		o.Trusted = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}
	}
	p := New(o)
	c := &Client{p: p}
	c.identify(aConn{})
	return &Exchange{Client: c, route: &p.opt.Route, pool: o.Pool}, ups.Upstreams()[0]
}

func FuzzHops(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-One\r\nX-One: 1\r\nconnection: x-two ,\r\nX-TWO: 2\r\nX-Three: 3\r\n\r\n",
		"POST http://b/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nTrailer: X\r\nConnection: TE, Host, Transfer-Encoding\r\n\r\n",
		"PUT /?x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nConnection: Content-Length, X-Forwarded-For, Cookie\r\nX-Forwarded-For: 1\r\nCookie: c\r\n\r\n",
		"GET / HTTP/1.0\r\nX_Forwarded_For: 1\r\nX-Real-IP: 2\r\nForwarded: for=3\r\nX-Forwarded-Host: h\r\nProxy: p\r\nKeep-Alive: 1\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\nX-Request-Id: \x80\r\nExpect: 100-continue\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, trailer\r\nUpgrade: websocket\r\nTrailer: x\r\nHTTP2-Settings: y\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: Trailer\r\nTrailer: X-End\r\n\r\n",
		"GET http://b?q HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine\r\n\r\n",
	} {
		f.Add([]byte(s), false, false)
		f.Add([]byte(s), true, true)
	}
	stranger, up := newExchange(f, false)
	friend, _ := newExchange(f, true)
	f.Fuzz(func(t *testing.T, head []byte, trusted, switching bool) {
		x := stranger
		if trusted {
			x = friend
		}
		x.reset()
		q := &x.Req
		if _, err := q.Parse(head); err != nil || string(q.Method) == "CONNECT" {
			return
		}
		x.switching = switching && q.Upgrade
		sent := x.AppendHead(nil, up)
		var out wire.Request
		if n, err := out.Parse(sent); err != nil || n != len(sent) {
			t.Fatalf("%q left as %q: %v", head, sent, err)
		}
		checkLine(t, q, &out)
		checkRequest(t, x, lines(&q.Head), lines(&out.Head), trusted)
	})
}

func checkLine(t *testing.T, q, out *wire.Request) {
	t.Helper()
	path := string(q.Path)
	if strings.HasPrefix(path, "?") {
		path = "/" + path
	}
	host := string(q.Host)
	if q.Host == nil {
		host = "app"
	}
	if string(out.Method) != string(q.Method) || string(out.Target) != path || string(out.Host) != host || out.Minor != 1 {
		t.Fatalf("%q left as %q", q.Raw, out.Raw)
	}
	if out.Length != q.Length || out.Chunked != q.Chunked || out.Continue != q.Continue {
		t.Fatalf("%q left with other framing: %q", q.Raw, out.Raw)
	}
}

func checkRequest(t *testing.T, x *Exchange, in, out []line, trusted bool) {
	t.Helper()
	fail := func(l line) { t.Fatalf("%q left with %q: %q", x.Req.Raw, l.raw, out) }
	away, counts := named(in), map[string]int{}
	for _, l := range out {
		counts[l.name]++
		switch {
		case l.name == "connection":
			if want := (map[bool]string{true: "Upgrade", false: "TE"})[x.switching]; l.value != want {
				fail(l)
			}
		case l.name == "te" && l.value == "trailers" && x.Req.Trailers:
		case l.name == "upgrade" && l.value == "websocket" && x.switching:
		case l.name == "transfer-encoding" && l.value == "chunked" && x.Req.Chunked:
		case hopByHop[l.name], away[l.name]:
			fail(l)
		case strings.Contains(l.name, "_") && asserts(l.name), l.name == "x-real-ip":
			fail(l)
		case l.name == "x-forwarded-for" && !strings.HasSuffix(l.value, "198.51.100.7"):
			fail(l)
		case asserts(l.name) && !trusted && !slices.Contains([]string{
			"X-Forwarded-For: 198.51.100.7\r\n", "X-Forwarded-Proto: http\r\n", "X-Forwarded-Port: 80\r\n",
			"X-Forwarded-Host: " + string(x.Req.Host) + "\r\n",
		}, l.raw):
			fail(l)
		}
	}
	for _, name := range []string{"host", "x-forwarded-for", "x-request-id"} {
		if counts[name] < 1 || counts[name] > 1 && name != "x-request-id" {
			t.Fatalf("%q left with %d of %s: %q", x.Req.Raw, counts[name], name, out)
		}
	}
	_, counted := x.maxForwards()
	ours := func(l line) bool { // said anew
		return l.name == "expect" || l.name == "host" && x.Req.Absolute || l.name == "trailer" && !x.Req.Chunked ||
			l.name == "max-forwards" && counted || l.name == "x-request-id" && !validID([]byte(l.value))
	}
	want := endToEnd(in, ours)
	got := endToEnd(out, func(l line) bool { return l.name == "expect" })
	for _, raw := range want {
		i := slices.Index(got, raw)
		if i < 0 {
			t.Fatalf("%q left without %q, or not in order: %q", x.Req.Raw, raw, out)
		}
		got = got[i+1:]
	}
}

func FuzzAnswerHops(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-One, Set-Cookie\r\nX-One: 1\r\nSet-Cookie: c\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.0 200\r\nKeep-Alive: 5\r\nProxy-Authenticate: Basic\r\nTrailer: x\r\n\r\n",
		"HTTP/1.1 404 Not \xff Found\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\nUpgrade: h2c\r\nDate: x\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\nConnection: Link\r\n\r\n",
	} {
		f.Add([]byte(s), true, false)
		f.Add([]byte(s), false, true)
	}
	x, _ := newExchange(f, false)
	f.Fuzz(func(t *testing.T, head []byte, modern, last bool) {
		x.reset()
		r := &x.Res
		if _, err := r.Parse(head); err != nil {
			return
		}
		x.Req = wire.Request{Method: []byte("GET")}
		framing := r.Framing(false)
		if x.close = last; modern {
			if x.Req.Minor = 1; framing == wire.ToClose {
				framing = wire.Chunked
			}
		} else if framing == wire.Chunked {
			framing = wire.ToClose
		}
		sent := x.appendResponse(nil, framing)
		var out wire.Response
		if n, err := out.Parse(sent); err != nil || n != len(sent) {
			t.Fatalf("%q left as %q: %v", head, sent, err)
		}
		if out.Status != r.Status || string(out.Reason) != string(r.Reason) || out.Framing(false) != framing {
			t.Fatalf("%q left as %q", head, sent)
		}
		checkAnswer(t, x, lines(&r.Head), lines(&out.Head), framing)
	})
}

func checkAnswer(t *testing.T, x *Exchange, in, out []line, framing wire.Framing) {
	t.Helper()
	away, counts := named(in), map[string]int{}
	for _, l := range out {
		counts[l.name]++
		switch {
		case l.name == "connection" && x.Res.Status >= 200 && (l.value == "close" && x.close || l.value == "keep-alive" && !x.close):
		case l.name == "transfer-encoding" && l.value == "chunked" && framing == wire.Chunked:
		case hopByHop[l.name], away[l.name]:
			t.Fatalf("%q left with %q: %q", x.Res.Raw, l.raw, out)
		}
	}
	if counts["content-length"] > 1 || counts["content-length"] == 1 && (framing == wire.Chunked || x.Res.Status < 200 || x.Res.Status == 204) {
		t.Fatalf("%q left with lengths: %q", x.Res.Raw, out)
	}
	if x.Res.Status >= 200 && counts["date"] == 0 {
		t.Fatalf("%q left without a date", x.Res.Raw)
	}
	but := func(l line) bool {
		return l.name == "content-length" || l.name == "trailer" || l.name == "date" && !x.Res.HasDate ||
			asserts(l.name)
	}
	if want, got := endToEnd(in, but), endToEnd(out, but); !slices.Equal(got, want) {
		t.Fatalf("%q left as %q", x.Res.Raw, out)
	}
}
