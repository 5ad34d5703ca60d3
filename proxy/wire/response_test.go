package wire

import (
	"fmt"
	"strings"
	"testing"
)

// answered gives a parsed answer in a line, or what is wrong with it. Its
// framing is shown for a GET.
func answered(t *testing.T, head string) string {
	t.Helper()
	var r, part Response
	n, err := r.Parse([]byte(head))
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
	framing := [...]string{"no body", fmt.Sprint(r.Length, " bytes"), "chunks", "to the end"}[r.Framing(false)]
	if !r.Persists() {
		framing += ", last"
	}
	return fmt.Sprintf("%d %q %s", r.Status, r.Reason, framing)
}

func TestStatusLines(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		if got := answered(t, line+"\r\nContent-Length: 1\r\n\r\n"); got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
	f("HTTP/1.1 200 OK", `200 "OK" 1 bytes`)
	f("HTTP/1.1 200 ", `200 "" 1 bytes`)
	f("HTTP/1.1 200", `200 "" 1 bytes`)
	f("HTTP/1.1 200  two words\t\xe4", `200 " two words\t\xe4" 1 bytes`)
	f("HTTP/1.0 404 Not Found", `404 "Not Found" 1 bytes, last`)
	f("HTTP/1.1 100 Continue", `100 "Continue" no body`)
	f("HTTP/1.1 204 No Content", `204 "No Content" no body`)
	f("HTTP/1.1 304 Not Modified", `304 "Not Modified" no body`)
	f("HTTP/1.1 599 x", `599 "x" 1 bytes`)

	const bad = "400 malformed status line"
	f("HTTP/1.1 099 x", bad)
	f("HTTP/1.1 000 x", bad)
	f("HTTP/1.1 600 x", bad)
	f("HTTP/1.1 20 x", bad)
	f("HTTP/1.1 2000 x", bad)
	f("HTTP/1.1 20x x", bad)
	f("HTTP/1.1 +20 x", bad)
	f("HTTP/1.1  200 x", bad)
	f("HTTP/1.1\t200 x", bad)
	f("HTTP/1.1 200\tx", bad)
	f("HTTP/1.2 200 x", bad)
	f("HTTP/2.0 200 x", bad)
	f("HTTP/0.9 200 x", bad)
	f("http/1.1 200 x", bad)
	f(" HTTP/1.1 200 x", bad)
	f("\r\nHTTP/1.1 200 x", bad)
	f("ICY 200 OK", bad)
	f("HTTP/1.1 200 a\x00b", bad)
	f("HTTP/1.1 200 a\nb", bad)
	f("HTTP/1.1 200 a\rb", "400 line not ended by CRLF")
	f("SSH-2.0-OpenSSH_9.9", bad)
	f("<!DOCTYPE html>", bad)
}

func TestAnswerFraming(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		got := answered(t, "HTTP/1.1 200 OK\r\n"+strings.ReplaceAll(fields, "\n", "\r\n")+"\r\n")
		if strings.TrimPrefix(got, `200 "OK" `) != want {
			t.Errorf("%q: %s, want %s", fields, got, want)
		}
	}
	f("", "to the end")
	f("Connection: close\n", "to the end, last")
	f("Content-Length: 0\n", "no body")
	f("Content-Length: 5\n", "5 bytes")
	f("Content-Length: 5\nContent-Length: 5\n", "5 bytes") // RFC 9112 §6.3: the same value may be taken
	f("Transfer-Encoding: chunked\n", "chunks")

	f("Content-Length: 5\nContent-Length: 6\n", "400 several Content-Lengths")
	f("Content-Length: 5, 5\n", "400 invalid Content-Length")
	f("Content-Length: -1\n", "400 invalid Content-Length")
	f("Transfer-Encoding: gzip\n", "400 unsupported Transfer-Encoding")
	f("Transfer-Encoding: chunked\nTransfer-Encoding: identity\n", "400 unsupported Transfer-Encoding")
	f("Content-Length: 5\nTransfer-Encoding: chunked\n", "400 both Content-Length and Transfer-Encoding")
	f("X: y\nZ\n", "400 malformed header name")
	f("X: y\n z\n", "400 folded header line")

	if got := answered(t, "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"); !strings.HasPrefix(got, "400") {
		t.Errorf("chunks under HTTP/1.0: %s", got)
	}
	if got := answered(t, "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n"); got != `200 "OK" 2 bytes` {
		t.Errorf("HTTP/1.0 that goes on: %s", got)
	}
}

func TestAnswerToHeadHasNoBody(t *testing.T) {
	for _, fields := range []string{"", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"} {
		var r Response
		if _, err := r.Parse([]byte("HTTP/1.1 200 OK\r\n" + fields + "\r\n")); err != nil || r.Framing(true) != None {
			t.Errorf("%q: %v", fields, err)
		}
	}
}
