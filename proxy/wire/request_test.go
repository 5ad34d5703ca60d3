package wire

import (
	"fmt"
	"strings"
	"testing"
)

// row describes a parsed request in a line: method, target, and whatever is
// not as in a plain HTTP/1.1 GET.
func (q *Request) row() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s host=%s", q.Method, q.Target, q.Host)
	if string(q.Path) != string(q.Target) {
		fmt.Fprintf(&b, " path=%s", q.Path)
	}
	if q.Length >= 0 {
		fmt.Fprintf(&b, " length=%d", q.Length)
	}
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"1.0", q.Minor == 0}, {"chunked", q.Chunked}, {"close", q.Close}, {"keep-alive", q.KeepAlive}, {"upgrade", q.Upgrade},
		{"trailers", q.Trailers}, {"nominates", q.Nominates}, {"asserts", q.Asserts}, {"absolute", q.Absolute}, {"continue", q.Continue},
	} {
		if f.set {
			b.WriteString(" " + f.name)
		}
	}
	return b.String()
}

// parsed gives the row of a request, or what is wrong with it. On the way it
// checks what must hold for any bytes.
func parsed(t *testing.T, head string) string {
	t.Helper()
	var q, part Request
	n, err := q.Parse([]byte(head))
	for i := range len(head) {
		switch _, e := part.Parse([]byte(head[:i])); {
		case e == nil && (err != nil || i < n):
			t.Errorf("%q: taken for whole after %d bytes", head, i)
		case err == nil && i < n && e != ErrMore:
			t.Errorf("%q: %v after %d bytes", head, e, i)
		}
	}
	if err != nil {
		return say(err)
	}
	if _, err := part.Parse([]byte(head[:n] + "\x00\r\n\xff garbage: behind\r\n\r\n")); err != nil || part.row() != q.row() {
		t.Errorf("%q: changed by what stands behind it: %v", head, err)
	}
	return q.row()
}

func TestRequestLines(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if got := parsed(t, line+"\r\nHost: a\r\n\r\n"); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
	f("GET / HTTP/1.1", "GET / host=a")
	f("GET / HTTP/1.0", "GET / host=a 1.0")
	f("QUERY /x?y=z HTTP/1.1", "QUERY /x?y=z host=a")
	f("get / HTTP/1.1", "get / host=a")
	f("!#$%&'*+-.^_`|~aZ09 / HTTP/1.1", "!#$%&'*+-.^_`|~aZ09 / host=a")
	f("\r\n\r\nGET / HTTP/1.1", "GET / host=a")

	// Targets go as they came.
	f("GET //evil/..?x=:// HTTP/1.1", "GET //evil/..?x=:// host=a")
	f("GET /%2e%2E/%zz|{}\\^`\"<> HTTP/1.1", "GET /%2e%2E/%zz|{}\\^`\"<> host=a")
	f("OPTIONS * HTTP/1.1", "OPTIONS * host=a")
	f("GET http://b/x HTTP/1.1", "GET http://b/x host=b path=/x absolute")
	f("GET HTTPS://B:1/x?y HTTP/1.1", "GET HTTPS://B:1/x?y host=B:1 path=/x?y absolute")
	f("GET http://b HTTP/1.1", "GET http://b host=b path=/ absolute")
	f("GET http://b?y HTTP/1.1", "GET http://b?y host=b path=?y absolute")
	f("OPTIONS http://b HTTP/1.1", "OPTIONS http://b host=b path=* absolute")
	f("CONNECT b:443 HTTP/1.1", "CONNECT b:443 host=a path=")

	f(" / HTTP/1.1", "400 malformed method")
	f("G@T / HTTP/1.1", "400 malformed method")
	f("GET\t/ HTTP/1.1", "400 malformed method")
	f("\x16\x03\x01", "400 malformed method")
	f("GET", "400 malformed method")
	f("GET  / HTTP/1.1", "400 malformed request target")
	f("GET /", "400 malformed request target")
	f("GET /\tHTTP/1.1", "400 malformed request target")
	f("GET /a#b HTTP/1.1", "400 malformed request target")
	f("GET /\x00 HTTP/1.1", "400 malformed request target")
	f("GET /\x7f HTTP/1.1", "400 malformed request target")
	f("GET /\xc3\xa4 HTTP/1.1", "400 malformed request target")
	f("GET * HTTP/1.1", "400 malformed request target")
	f("GET x HTTP/1.1", "400 malformed request target")
	f("GET ftp://b/ HTTP/1.1", "400 malformed request target")
	f("GET http:/b HTTP/1.1", "400 malformed request target")
	f("GET http:///x HTTP/1.1", "400 malformed request target")
	f("GET http://u@b/ HTTP/1.1", "400 malformed request target")
	f("GET http://b,c/ HTTP/1.1", "400 malformed request target")
	f("GET / HTTP/1.1 ", "400 line not ended by CRLF")
	f("GET / HTTP/1.1\r", "400 line not ended by CRLF")
	f("GET / x HTTP/1.1", "400 malformed request line")
	f("GET /  HTTP/1.1", "400 malformed request line")
	f("GET / http/1.1", "400 malformed request line")
	f("GET / HTTP/11", "400 malformed request line")
	f("GET / HTTP/1,1", "400 malformed request line")
	f("GET / ", "400 malformed request line")
	f("GET / HTTP/0.9", "505 unsupported HTTP version")
	f("GET / HTTP/1.2", "505 unsupported HTTP version")
	f("GET / HTTP/2.0", "505 unsupported HTTP version")
	f("\nGET / HTTP/1.1", "400 malformed method")
	f("\r\r\nGET / HTTP/1.1", "400 line not ended by CRLF")
	f("\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1", "400 malformed request line")
}

func TestRequestFields(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		if got := parsed(t, "GET / HTTP/1.1\r\nHost: a\r\n"+fields+"\r\n"); strings.TrimPrefix(got, "GET / host=a ") != want {
			t.Errorf("%q: %s, want %s", fields, got, want)
		}
	}
	f("X:\r\nY:  \t \r\nZ: a\tb\x80\xff\r\n", "GET / host=a")
	f("X: y\nZ: z\r\n", "400 line not ended by CRLF")
	f("X: y\rZ: z\r\n", "400 line not ended by CRLF")
	f("X: y\r\r\n", "400 line not ended by CRLF")
	f("X: y\x00\r\n", "400 control character in a header value")
	f("X: a string of some length before\x01it\r\n", "400 control character in a header value")
	f("X: y\x7f\r\n", "400 control character in a header value")
	f("X: y\r\n z\r\n", "400 folded header line")
	f("X: y\r\n\tz\r\n", "400 folded header line")
	f(" X: y\r\n", "400 folded header line")
	f("X : y\r\n", "400 malformed header name")
	f("X\t: y\r\n", "400 malformed header name")
	f("X Y: y\r\n", "400 malformed header name")
	f("X\r\n", "400 malformed header name")
	f(": y\r\n", "400 malformed header name")
	f("X(: y\r\n", "400 malformed header name")
	f("\xc3\xa4: y\r\n", "400 malformed header name")
	f("X\x00: y\r\n", "400 malformed header name")
	f("\nX: y\r\n", "400 line not ended by CRLF")
	f(strings.Repeat("X: y\r\n", maxFields-1), "GET / host=a")
	f(strings.Repeat("X: y\r\n", maxFields), "431 too many header fields")
}

func TestRequestFraming(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		got := parsed(t, "POST / HTTP/1.1\r\nHost: a\r\n"+fields+"\r\n")
		if strings.TrimPrefix(got, "POST / host=a ") != want {
			t.Errorf("%q: %s, want %s", fields, got, want)
		}
	}
	f("Content-Length: 0\r\n", "length=0")
	f("content-length:5\r\n", "length=5")
	f("CONTENT-LENGTH: \t5\t \r\n", "length=5")
	f("Content-Length: 0005\r\n", "length=5")
	f("Content-Length: 9223372036854775807\r\n", "length=9223372036854775807")
	f("Content-Length: 00000000000000000000000000000009\r\n", "length=9")
	f("Transfer-Encoding: chunked\r\n", "chunked")
	f("transfer-encoding:CHUNKED \r\n", "chunked")

	f("Content-Length: 9223372036854775808\r\n", "400 invalid Content-Length")
	f("Content-Length: 18446744073709551621\r\n", "400 invalid Content-Length")
	f("Content-Length: 99999999999999999999999\r\n", "400 invalid Content-Length")
	f("Content-Length:\r\n", "400 invalid Content-Length")
	f("Content-Length: -5\r\n", "400 invalid Content-Length")
	f("Content-Length: +5\r\n", "400 invalid Content-Length")
	f("Content-Length: 0x5\r\n", "400 invalid Content-Length")
	f("Content-Length: 5a\r\n", "400 invalid Content-Length")
	f("Content-Length: 5 5\r\n", "400 invalid Content-Length")
	f("Content-Length: 5, 5\r\n", "400 invalid Content-Length")
	f("Content-Length: 5\r\nContent-Length: 5\r\n", "400 several Content-Lengths")
	f("Content-Length: 5\r\nContent-Length: 6\r\n", "400 several Content-Lengths")
	f("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: chunked, chunked\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: gzip, chunked\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: identity\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: xchunked\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: \"chunked\"\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: chunked;q=1\r\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: \x0bchunked\r\n", "400 control character in a header value")
	f("Transfer-Encoding:\r\n", "400 unsupported Transfer-Encoding")
	f("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "400 both Content-Length and Transfer-Encoding")
	f("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "400 both Content-Length and Transfer-Encoding")

	if got := parsed(t, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"); got != "400 unsupported Transfer-Encoding" {
		t.Errorf("chunks under HTTP/1.0: %s", got)
	}
}

func TestHosts(t *testing.T) {
	const bad = "400 missing, repeated or invalid Host"
	f := func(head, want string) {
		t.Helper()
		if got := parsed(t, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n"); got != want {
			t.Errorf("%q: %s, want %s", head, got, want)
		}
	}
	f("GET / HTTP/1.1\nHost: a", "GET / host=a")
	f("GET / HTTP/1.0", "GET / host= 1.0")
	f("GET / HTTP/1.0\nHost: a", "GET / host=a 1.0")
	f("GET http://b/ HTTP/1.0", "GET http://b/ host=b path=/ 1.0 absolute")
	f("GET / HTTP/1.1", bad)
	f("GET http://b/ HTTP/1.1", bad)
	f("GET / HTTP/1.1\nHost:", bad)
	f("GET / HTTP/1.0\nHost:", bad)
	f("GET / HTTP/1.1\nHost: a\nHost: a", bad)
	f("GET / HTTP/1.0\nHost: a\nhost: b", bad)
	f("GET http://b/ HTTP/1.1\nHost: a b", bad)
}

func TestHostGrammar(t *testing.T) {
	f := func(host string, want bool) {
		t.Helper()
		if got := validHost([]byte(host)); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
	f("example.org", true)
	f("EXAMPLE.org.", true)
	f("under_score-1~x", true)
	f("1.2.3.4:80", true)
	f("a:", true)
	f("a:0", true)
	f("a:65535", true)
	f("a%41b:1", true)
	f("[::1]", true)
	f("[::1]:8080", true)
	f("[::ffff:1.2.3.4]", true)
	f(strings.Repeat("a", 255)+":65535", true)

	f("", false)
	f(":80", false)
	f("a:65536", false)
	f("a:000080", false)
	f("a:+80", false)
	f("a:80a", false)
	f("a:b", false)
	f("a:1:2", false)
	f("u@a", false)
	f("a b", false)
	f("a/b", false)
	f("a?b", false)
	f("a,b", false)
	f("a;b", false)
	f("a\"b", false)
	f("<a>", false)
	f("a%", false)
	f("a%4", false)
	f("a%4g", false)
	f("a\x00", false)
	f("\xc3\xa4", false)
	f("[", false)
	f("[]", false)
	f("[::1", false)
	f("[::1]x", false)
	f("[::1%25eth0]", false)
	f("[1.2.3.4]", false)
	f("[v1.x]", false)
	f("[1:2:3:4:5:6:7:8:9]", false)
	f(strings.Repeat("a", 262), false)
}

func TestExpectations(t *testing.T) {
	f := func(version, fields, want string) {
		t.Helper()
		if got := parsed(t, "POST / HTTP/"+version+"\r\nHost: a\r\n"+fields+"\r\n"); strings.TrimPrefix(got, "POST / host=a") != want {
			t.Errorf("%q: %s, want %s", fields, got, want)
		}
	}
	f("1.1", "Expect: 100-continue\r\nContent-Length: 1\r\n", " length=1 continue")
	f("1.1", "expect:100-Continue\r\nContent-Length: 1\r\n", " length=1 continue")
	f("1.0", "Expect: 100-continue\r\n", " 1.0") // RFC 9110 §10.1.1: a 1.0 client's is ignored
	f("1.0", "Expect: nonsense\r\n", " 1.0")
	f("1.1", "Expect: 200-ok\r\n", "417 unknown expectation")
	f("1.1", "Expect:\r\n", "417 unknown expectation")
	f("1.1", "Expect: 100-continue, x\r\n", "417 unknown expectation")
}
