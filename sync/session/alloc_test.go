//go:build !race

package session_test

import (
	"testing"

	"multiserver/sync/session"
)

// one is a request of a session whose store has it at hand, and its answer.
func one(b *browser, v *session.Visit, cookies, buf []byte) {
	v.Reset()
	b.Offer(v, cookies)
	buf, _ = b.Begin(v, buf[:0])
	b.Take(v, []byte("Content-Type"), nil)
	b.Finish(v, buf[:0])
}

func TestAllocOfARequest(t *testing.T) {
	b := newSite(t).browser()
	b.sees(`Set: {"user":42,"name":"somebody","cart":[1,2,3]}`)
	var v session.Visit
	buf := make([]byte, 0, 1024)
	f := func(name string, cookies []byte) {
		t.Helper()
		if n := testing.AllocsPerRun(100, func() { one(b, &v, cookies, buf) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	f("a session", []byte("theme=dark; "+b.cookie))
	f("no session", []byte("theme=dark"))
	f("a forged one", []byte(b.cookie[:20]+"AAAA"+b.cookie[24:]))
}

func BenchmarkASession(b *testing.B) {
	s := newSite(b).browser()
	s.sees(`Set: {"user":42,"name":"somebody","cart":[1,2,3]}`)
	var v session.Visit
	buf, cookies := make([]byte, 0, 1024), []byte("theme=dark; "+s.cookie)
	for b.Loop() {
		one(s, &v, cookies, buf)
	}
}

func BenchmarkNoSession(b *testing.B) {
	s := newSite(b).browser()
	var v session.Visit
	buf, cookies := make([]byte, 0, 1024), []byte("theme=dark; other=1")
	for b.Loop() {
		one(s, &v, cookies, buf)
	}
}
