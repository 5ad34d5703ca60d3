package wire

import (
	"strings"
	"testing"
)

// A head is parsed when Scan says so, and not before: whatever comes byte by
// byte must be judged no later than all at once, and looked at seldom.
func TestScanKnowsWhenToLook(t *testing.T) {
	f := func(head string, whole bool) {
		t.Helper()
		var s Scan
		var q Request
		looked := 0
		for i := 1; i <= len(head); i++ {
			b := []byte(head[:i])
			if !s.Whole(b) {
				continue
			}
			looked++
			if _, err := q.Parse(b); err != ErrMore {
				if (err == nil) != whole || whole && i != len(head) {
					t.Errorf("%q: %v after %d bytes", head, err, i)
				}
				if looked != 1 {
					t.Errorf("%q: looked %d times", head, looked)
				}
				return
			}
		}
		t.Errorf("%q: never looked at", head)
	}
	f("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true)
	f("GET / HTTP/1.0\r\n\r\n", true)
	f("\r\n\r\nGET / HTTP/1.0\r\n\r\n", true)
	f("GET / HTTP/1.1\n", false)
	f("GET / HTTP/1.1\r\nHost: a\n", false)
	f("\n", false)
	f("GET / HTTP/1.1\r\nHost a\r\n\r\n", false)
}

// Pieces of any size are looked at no differently.
func TestScanInPieces(t *testing.T) {
	const head = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n"
	for piece := 1; piece <= len(head); piece++ {
		var s Scan
		for i := piece; i < len(head); i += piece {
			if s.Whole([]byte(head[:i])) {
				t.Errorf("whole after %d of %d bytes", i, len(head))
			}
		}
		if !s.Whole([]byte(head)) {
			t.Errorf("in pieces of %d: not whole", piece)
		}
	}
}

func TestHeadLimit(t *testing.T) {
	f := func(head string, limit, status int) {
		t.Helper()
		if bad, ok := HeadLimit([]byte(head), limit).(*Bad); !ok || bad.Status != status {
			t.Errorf("%.30q, at most %d: %v, want %d", head, limit, bad, status)
		}
	}
	f("GET /"+strings.Repeat("x", 100), 50, 414)
	f("GET /"+strings.Repeat("x", 100)+" HTTP/1.1\r\nHost: a\r\n\r\n", 50, 414)
	f("GET / HTTP/1.1\r\nX: "+strings.Repeat("x", 100), 50, 431)
}
