package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/textproto"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"multiserver/proxy"
)

// The oracle is Go's own reverse proxy: what it and we make of the same
// message must be the same, but for what is listed here with its reason.

// toOrigin are the fields of a request that may differ.
var toOrigin = map[string]string{
	"X-Forwarded-Port": "ours tells it, SetXForwarded does not",
	"X-Request-Id":     "ours makes one",
	"Connection":       "says TE where there is one (RFC 9110 §10.1.4); the oracle leaves it out",
	"Content-Length":   "the oracle makes one up for a POST without a body, and drops that of a GET",
	"Trailer":          "the oracle writes the names in its own spelling",
	"Expect":           "the oracle's server answers it by itself",
}

// toClient are the fields of an answer that may differ.
var toClient = map[string]string{
	"Date":              "each adds its own if there is none",
	"Content-Type":      "the oracle's server guesses one if there is none",
	"Connection":        "each decides about its own connection",
	"Trailer":           "the oracle writes the names in its own spelling",
	"Content-Length":    "the oracle's server counts what it can",
	"Transfer-Encoding": "and cuts into chunks what it cannot: compared as bodies",
}

// seen is one message as a side got it, in words that can be compared.
type seen struct {
	line   string
	fields map[string][]string
	body   string
}

func (s *seen) without(fields map[string]string) string {
	var lines []string
	for name, values := range s.fields {
		for i, v := range values {
			if fields[name] == "" {
				lines = append(lines, fmt.Sprintf("%s[%d]: %s", name, i, v))
			}
		}
	}
	slices.Sort(lines)
	return s.line + "\n" + strings.Join(lines, "\n") + "\n\n" + s.body
}

func TestSameAsTheOracle(t *testing.T) {
	for _, c := range []struct{ name, request, answer string }{
		{"GET", "GET /a/b?c=d HTTP/1.1\nHost: a.test\nUser-Agent: x\nAccept: */*\n\n", ok("hello")},
		{"no User-Agent", "GET / HTTP/1.1\nHost: a.test\n\n", ok("")},
		{"a target that could be cleaned up", "GET //a/../b/./%2e%2F?x=%2f&y=+&&z HTTP/1.1\nHost: a.test\n\n", ok("x")},
		{"HEAD", "HEAD / HTTP/1.1\nHost: a.test\n\n", "HTTP/1.1 200 OK\nContent-Length: 5\nETag: \"x\"\n\n"},
		{"POST", "POST /form HTTP/1.1\nHost: a.test\nContent-Type: text/plain\nContent-Length: 4\n\nbody", ok("x")},
		{"POST in chunks", "POST / HTTP/1.1\nHost: a.test\nTransfer-Encoding: chunked\n\n4\nbody\n0\n\n", ok("x")},
		{"PUT without a body", "PUT / HTTP/1.1\nHost: a.test\nContent-Length: 0\n\n", ok("x")},
		{"unknown method", "PURGE /x HTTP/1.1\nHost: a.test\n\n", ok("x")},
		{"fields several times, empty, in odd spelling", "GET / HTTP/1.1\nhOST: a.test\nx-a: 1\nX-A: 2\nX-Empty:\nX-B: \t spaces \t\ncookie: a=b; c=d\nCookie: e=f\n\n", ok("x")},
		{"Host with a port", "GET / HTTP/1.1\nHost: a.test:8080\n\n", ok("x")},
		{"absolute target", "GET http://b.test/x?y HTTP/1.1\nHost: a.test\n\n", ok("x")},
		{"HTTP/1.0", "GET / HTTP/1.0\nHost: a.test\n\n", ok("x")},
		{"hop by hop", "GET / HTTP/1.1\nHost: a.test\nConnection: keep-alive, X-Secret\nX-Secret: 1\nX-Public: 2\nKeep-Alive: 5\nProxy-Connection: x\nProxy-Authorization: y\nUpgrade: h2c\n\n", ok("x")},
		{"named on several lines", "GET / HTTP/1.1\nHost: a.test\nConnection: X-One\nConnection: x-two,, X-Three\nX-One: 1\nX-Two: 2\nX-Three: 3\nX-Four: 4\n\n", ok("x")},
		{"TE", "GET / HTTP/1.1\nHost: a.test\nTE: gzip, trailers\nConnection: TE\n\n", ok("x")},
		{"what a client says of itself", "GET / HTTP/1.1\nHost: a.test\nX-Forwarded-For: 1.2.3.4\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil\nForwarded: for=1.2.3.4\n\n", ok("x")},

		{"404", get, "HTTP/1.1 404 Not Found\nContent-Type: text/plain\nContent-Length: 4\n\ngone"},
		{"redirect", get, "HTTP/1.1 302 Found\nLocation: /x?y\nContent-Length: 0\n\n"},
		{"204", get, "HTTP/1.1 204 No Content\n\n"},
		{"304", get, "HTTP/1.1 304 Not Modified\nETag: \"x\"\nCache-Control: no-cache\n\n"},
		{"chunks", get, "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n6\n world\n0\n\n"},
		{"trailer", "GET / HTTP/1.1\nHost: a.test\nTE: trailers\n\n", "HTTP/1.1 200 OK\nTrailer: X-Sum\nTransfer-Encoding: chunked\n\n1\nx\n0\nX-Sum: 7\n\n"},
		{"until the end", get, "HTTP/1.0 200 OK\nContent-Type: text/plain\n\nto the end"},
		{"answers several times", get, "HTTP/1.1 200 OK\nSet-Cookie: a=b\nset-cookie: c=d\nVary: a\nVary: b\nContent-Length: 1\n\nx"},
		{"answer, hop by hop", get, "HTTP/1.1 200 OK\nConnection: X-Secret\nX-Secret: 1\nX-Public: 2\nKeep-Alive: 5\nProxy-Authenticate: x\nContent-Length: 1\n\nx"},
		{"early hints", get, "HTTP/1.1 103 Early Hints\nLink: </x>\n\n" + ok("x")},
		{"encoded body", get, "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 4\n\n\x1f\x8b\x08\x00"},
		{"large", get, ok(strings.Repeat("0123456789abcdef", 1<<14))},
	} {
		t.Run(c.name, func(t *testing.T) {
			theirRequest, theirAnswer := exchange(t, startOracle, c.request, c.answer)
			ourRequest, ourAnswer := exchange(t, startOurs, c.request, c.answer)
			if ours, theirs := ourRequest.without(toOrigin), theirRequest.without(toOrigin); ours != theirs {
				t.Errorf("the origin got\n%.2000s\n\nfrom the oracle\n%.2000s", ours, theirs)
			}
			if ours, theirs := ourAnswer.without(toClient), theirAnswer.without(toClient); ours != theirs {
				t.Errorf("the client got\n%.2000s\n\nfrom the oracle\n%.2000s", ours, theirs)
			}
		})
	}
}

const get = "GET / HTTP/1.1\nHost: a.test\n\n"

func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\nContent-Type: text/plain\nContent-Length: %d\n\n%s", len(body), body)
}

// startOurs is set up to say what the oracle says.
func startOurs(t *testing.T, origin string) (addr string) {
	addr, _ = startProxyWith(t, func(o *proxy.Options) { o.Via, o.Forwarded = false, false }, origin)
	return addr
}

func startOracle(t *testing.T, origin string) (addr string) {
	target := &url.URL{Scheme: "http", Host: origin}
	transport := &http.Transport{DisableCompression: true}
	s := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
		},
		Transport: transport,
		ErrorLog:  log.New(io.Discard, "", 0),
	})
	t.Cleanup(func() {
		s.Close()
		transport.CloseIdleConnections()
	})
	return s.Listener.Addr().String()
}

// exchange passes one request and its answer through a proxy and tells what
// either side got. In the texts a line feed stands for CRLF; bodies here have
// none.
func exchange(t *testing.T, start func(*testing.T, string) string, request, answer string) (atOrigin, atClient *seen) {
	t.Helper()
	arrived := make(chan *seen, 1)
	origin := listen(t, func(nc net.Conn) {
		defer nc.Close()
		s, err := readSeen(bufio.NewReader(nc), false)
		if err != nil {
			return // a connection made in vain
		}
		arrived <- s
		io.WriteString(nc, crlf(answer))
	})
	nc := dial(t, start(t, origin))
	if _, err := io.WriteString(nc, crlf(request)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(nc)
	for {
		s, err := readSeen(in, strings.HasPrefix(request, "HEAD"))
		if err != nil {
			t.Fatal(err)
		}
		if atClient == nil {
			atClient = s
		} else { // after an interim answer
			atClient.line += " " + s.line
			for name, values := range s.fields {
				atClient.fields[name] = append(atClient.fields[name], values...)
			}
			atClient.body += s.body
		}
		if !strings.HasPrefix(s.line, "1") {
			return <-arrived, atClient
		}
	}
}

func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

var statusOf = regexp.MustCompile(`^HTTP/1\.[01] ([1-5][0-9][0-9])`)

// readSeen reads a message: the head by its lines, the body by net/http, which
// knows where it ends.
func readSeen(in *bufio.Reader, toHead bool) (*seen, error) {
	var head []byte
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		line, err := in.ReadBytes('\n')
		if head = append(head, line...); err != nil {
			return nil, err
		}
	}
	tp := textproto.NewReader(bufio.NewReader(bytes.NewReader(head)))
	line, _ := tp.ReadLine()
	fields, err := tp.ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	s := &seen{line: line, fields: fields}
	whole := bufio.NewReader(io.MultiReader(bytes.NewReader(head), in))
	var body io.ReadCloser
	var trailer http.Header
	if m := statusOf.FindStringSubmatch(line); m != nil {
		asked := &http.Request{Method: "GET"}
		if s.line = m[1]; toHead {
			asked.Method = "HEAD"
		}
		res, err := http.ReadResponse(whole, asked)
		if err != nil {
			return nil, err
		}
		body, trailer = res.Body, res.Trailer
	} else {
		req, err := http.ReadRequest(whole)
		if err != nil {
			return nil, err
		}
		body, trailer = req.Body, req.Trailer
	}
	b, err := io.ReadAll(body)
	if s.body = string(b); err != nil {
		s.body += "\n" + err.Error()
	}
	for name, values := range trailer {
		s.fields["trailer "+name] = values
	}
	return s, nil
}
