package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestKindsOfFields(t *testing.T) {
	f := func(name string, want Kind) {
		t.Helper()
		for _, n := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			if got := kindOf([]byte(n)); got != want {
				t.Errorf("%s: kind %d, want %d", n, got, want)
			}
		}
		for _, n := range []string{name + "x", "x" + name, name[:len(name)-1] + "x"} {
			if got := kindOf([]byte(n)); got == want && want != Other && want != ForwardedMore && want != Session {
				t.Errorf("%s: taken for %s", n, name)
			}
		}
	}
	f("Host", Host)
	f("Content-Length", ContentLength)
	f("Expect", Expect)
	f("Date", Date)
	f("Via", Via)
	f("Max-Forwards", MaxForwards)
	f("X-Request-Id", RequestID)
	f("Authorization", Authorization)
	f("Cookie", Guarded)
	f("Set-Cookie", Guarded)
	f("Content-Type", Guarded)
	f("Content-Encoding", Guarded)
	f("Cache-Control", CacheControl)
	f("Pragma", Pragma)
	f("If-None-Match", Condition)
	f("If-Modified-Since", Condition)
	f("If-Match", Demand)
	f("If-Unmodified-Since", Demand)
	f("Range", Range)
	f("If-Range", Range)
	f("X-Original-URL", Override)
	f("X-HTTP-Method-Override", Override)
	f("Forwarded", Forwarded)
	f("X-Forwarded-For", ForwardedFor)
	f("X-Forwarded-Host", ForwardedHost)
	f("X-Forwarded-Proto", ForwardedProto)
	f("X-Forwarded-Port", ForwardedPort)
	f("Connection", Connection)
	f("Transfer-Encoding", TransferEncoding)
	f("Keep-Alive", KeepAlive)
	f("Proxy-Connection", ProxyConnection)
	f("Proxy-Authenticate", ProxyAuth)
	f("Proxy-Authorization", ProxyAuth)
	f("Proxy-Authentication-Info", ProxyAuth)
	f("TE", TE)
	f("Trailer", Trailer)
	f("Upgrade", Upgrade)
	f("HTTP2-Settings", HTTP2Settings)
	f("Proxy", Proxy)

	// Whatever CGI would read as one of them.
	f("X-Forwarded-Server", ForwardedMore)
	f("X-Forwarded-By", ForwardedMore)
	f("X_Forwarded_X", ForwardedMore)
	f("X_Forwarded_For", ForwardedMore)
	f("X-Forwarded_For", ForwardedMore)
	f("X_Forwarded_Host", ForwardedMore)
	f("X-Session-Data", Session)
	f("x_session_data", Session)
	f("X-Session_Set", Session)
	f("X-Session-", Session)
	f("X-Real-IP", ForwardedMore)
	f("X_Real_IP", ForwardedMore)

	f("X", Other)
	f("X-Forwarded", Other)
	f("X-Forwarded-", Other)
	f("X-Session", Other)
	f("X-Sessions-A", Other)
	f("Accept", Other)
	f("Content_Length", Other)
	f("Transfer_Encoding", Other)
}

func TestConnectionLines(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		got := parsed(t, "GET / HTTP/1.1\r\nHost: a\r\n"+strings.ReplaceAll(fields, "\n", "\r\n")+"\r\n\r\n")
		if strings.TrimPrefix(strings.TrimPrefix(got, "GET / host=a"), " ") != want {
			t.Errorf("%q: %s, want %s", fields, got, want)
		}
	}
	f("Connection: close", "close")
	f("Connection: CLOSE", "close")
	f("Connection: keep-alive", "keep-alive")
	f("Connection:", "")
	f("Connection: ,, ,", "")
	f("Connection: keep-alive, close", "close keep-alive")
	f("Connection: keep-alive\nConnection: close", "close keep-alive")
	f("Connection: x , Close\t", "close nominates")
	f("Connection: x\nConnection: keep-alive", "keep-alive nominates")
	f("Connection: Host, Cookie, X-Forwarded-For, Content-Length, TE", "")
	f("Connection: closed", "nominates")
	f("Upgrade: websocket", "")
	f("Connection: upgrade", "")
	f("Connection: keep-alive, Upgrade\nUpgrade: websocket", "keep-alive upgrade")
	f("Connection: upgrade\nUpgrade: websocket\nUpgrade: h2c", "")
	f("TE: trailers", "trailers")
	f("TE: gzip;q=0.5, TRAILERS", "trailers")
	f("TE: gzip", "")
	f("X-Forwarded-For: 1.2.3.4", "asserts")
	f("Forwarded: for=x", "asserts")
	f("X_Real_IP: 1.2.3.4", "asserts")
}

func TestNominated(t *testing.T) {
	var q Request
	f := func(name string, want bool) {
		t.Helper()
		if q.Nominated([]byte(name)) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
	head := "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: ,X-One ,\tx-two\r\nX: x-three\r\nConnection: x-four\r\n\r\n"
	if _, err := q.Parse([]byte(head)); err != nil {
		t.Fatal(err)
	}
	f("X-One", true)
	f("x-one", true)
	f("X-TWO", true)
	f("X-Four", true)
	f("X-Three", false)
	f("X-On", false)
	f("X-Onee", false)
	f("", false)
}

func TestFieldsAreWhatStandsThere(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\nX-Case:  one \t two\t\r\nx-case:three\r\n\r\n"
	var q Request
	if _, err := q.Parse([]byte(head)); err != nil {
		t.Fatal(err)
	}
	f := func(i int, name, value, line string) {
		t.Helper()
		x := &q.Fields[i]
		if n, v, l := string(q.Name(x)), string(q.Value(x)), string(q.Raw[x.At:x.End]); n != name || v != value || l != line {
			t.Errorf("%d: %q, %q, %q", i, n, v, l)
		}
	}
	f(0, "Host", "a", "Host: a\r\n")
	f(1, "Empty", "", "Empty:\r\n")
	f(2, "X-Case", "one \t two", "X-Case:  one \t two\t\r\n")
	f(3, "x-case", "three", "x-case:three\r\n")
	if len(q.Fields) != 4 || string(q.Raw) != head {
		t.Errorf("%d fields in %q", len(q.Fields), q.Raw)
	}
	if string(q.Peek("x-case")) != "one \t two" || q.Peek("x-cas") != nil || q.Peek("empty") == nil || string(q.Find(Host)) != "a" || q.Find(Date) != nil {
		t.Error("not found, or found what is not there")
	}
}

// Eight bytes a step must see what one byte a step sees, at every place.
func TestScanTextSeesEveryByte(t *testing.T) {
	allowed := func(c byte) bool { return c == '\t' || c >= ' ' && c != 0x7f }
	for c := range 256 {
		for at := range 20 {
			for _, fill := range []byte{'a', '\t', 0x80, 0xff, ' '} {
				b := bytes.Repeat([]byte{fill}, 20)
				b[at] = byte(c)
				want := 20
				if !allowed(byte(c)) {
					want = at
				}
				if got := scanText(b, 0); got != want {
					t.Fatalf("%#x at %d among %#x: %d, want %d", c, at, fill, got, want)
				}
			}
		}
	}
}

func TestMembers(t *testing.T) {
	f := func(list string, want ...string) {
		t.Helper()
		var got []string
		Members([]byte(list), func(m []byte) { got = append(got, string(m)) })
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q: %q", list, got)
		}
	}
	f("")
	f(" , ,")
	f("a", "a")
	f("a,b", "a", "b")
	f(" a b\t,\t,c,", "a b", "c")
}

func TestEqualFold(t *testing.T) {
	f := func(name, lower string, want bool) {
		t.Helper()
		if got := EqualFold([]byte(name), lower); got != want {
			t.Errorf("%q, %q: %v", name, lower, got)
		}
	}
	f("Host", "host", true)
	f("X_Y-9", "x_y-9", true)
	f("X^Y", "x^y", true)
	f("X^Y", "x~y", false)
	f("X\x7fY", "x_y", false)
	f("\rost", "-ost", false)
	f("Hos", "host", false)
}
