//go:build linux

package main

import (
	"maps"
	"strings"
	"testing"
)

func TestParseProfile(t *testing.T) {
	const head = "desc: I1 cache: 32768 B\ncmd: ./gate play a 1\nevents: Ir\n"
	f := func(text string, want map[string]int64) {
		t.Helper()
		got, err := parseProfile(strings.NewReader(text))
		if !maps.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	f(head+"fl=???\nfn=main.f\n0 180\nfn=runtime.g\n0 3\nsummary: 183\n", map[string]int64{"main.f": 180, "runtime.g": 3})
	f(head+"fl=a.go\nfn=main.f\n10 180\n11 20\nfl=b.go\nfn=main.f\n7 1\n", map[string]int64{"main.f": 201})
	f(head, nil)
	f("", nil)
	f(head+"fn=main.f\n0 180 7\n", nil) // another tool's, with more events
}

func TestWhichInstructionsCount(t *testing.T) {
	f := func(fn string, want bool) {
		t.Helper()
		if counts(fn) != want {
			t.Errorf("%s: %v, want %v", fn, !want, want)
		}
	}
	f("multiserver/proxy.(*Exchange).bind", true)
	f("multiserver/proxy/wire.kindOf", true)
	f("github.com/valyala/fasthttp.(*Server).Serve", true)
	f("net.(*conn).Read", true)
	f("internal/poll.(*FD).RawRead", true)
	f("crypto/internal/fips140/hmac.(*HMAC).Write", true)
	f("type:.eq.multiserver/proxy.Route", true)
	f("crypto/internal/fips140/sha256.blockAVX2", false)
	f("main.(*peer).some", false)
	f("runtime.findRunnable", false)
	f("runtime.memmove", false)
	f("internal/runtime/maps.(*Map).Get", false)
	f("runtime/metrics.Read", false)
	f("internal/bytealg.IndexByte", false)
	f("memeqbody", false)
}

func TestCallsAreCountedOnce(t *testing.T) {
	f := func(log string, want int64) {
		t.Helper()
		if got := parseCalls([]byte(log)); got != want {
			t.Errorf("%q: %d, want %d", log, got, want)
		}
	}
	f("", 0)
	f("SYSCALL[7,1](44) sys_sendto ( 12, 0x365a, 227, 16448, 0x0, 0 ) --> [async] ... \nSYSCALL[7,1](44) ... [async] --> Success(0xe3) \n", 1)
	f("SYSCALL[7,3](  1) sys_write ( 1, 0x1, 1 ) --> [async] ... SYSCALL[7,2]( 45) sys_recvfrom ( 3, 0x1, 1, 0, 0x0, 0x0 )[sync] --> Success(0x1) ", 2)
	f("SYSCALL[7,2](281) sys_epoll_pwait(5, 0x1, 128, 0, 0x0, 8) --> [async] ... \nSYSCALL[7,2](202) sys_futex ( 0x1, 128, 0, 0x0, 0x0 ) --> [async] ... ", 0)
}
