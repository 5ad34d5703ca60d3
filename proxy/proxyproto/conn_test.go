package proxyproto

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// pair is a connection over a socket of the given network.
func pair(t *testing.T, network string) (peer, ours net.Conn) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		addr = t.TempDir() + "/s"
	}
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	peer, err = net.Dial(network, ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ours, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { peer.Close(); ours.Close() })
	_ = ours.SetDeadline(time.Now().Add(10 * time.Second))
	return peer, ours
}

const (
	line   = "PROXY TCP4 192.0.2.1 198.51.100.1 4711 443\r\n"
	behind = "\r\n\r\n\x00\r\nQUIT\nGET / HTTP/1.1\r\n\r\n"
)

// What lies behind the header is still in the socket, to the byte, in
// whichever pieces it came.
func TestNothingBehindTheHeaderIsRead(t *testing.T) {
	f := func(network, header, from, to string, pieces int) {
		t.Helper()
		peer, ours := pair(t, network)
		go func() {
			for b := []byte(header + behind); len(b) > 0; {
				n := min(len(b), pieces)
				_, _ = peer.Write(b[:n])
				if b = b[n:]; pieces < 3 {
					time.Sleep(100 * time.Microsecond)
				}
			}
			_ = peer.Close()
		}()
		as, _, err := Accept(ours)
		if err != nil {
			t.Errorf("%s %q: %v", network, header, err)
			return
		}
		if got, want := as.RemoteAddr().String(), from; got != want && want != "" {
			t.Errorf("%q: from %s, want %s", header, got, want)
		}
		if got, want := as.LocalAddr().String(), to; got != want && want != "" {
			t.Errorf("%q: to %s, want %s", header, got, want)
		}
		if rest, err := io.ReadAll(ours); string(rest) != behind {
			t.Errorf("%q in pieces of %d: left %q, %v", header, pieces, rest, err)
		}
	}
	for _, pieces := range []int{1, 2, 7, 4096} {
		for _, network := range []string{"tcp", "unix"} {
			f(network, line, "192.0.2.1:4711", "198.51.100.1:443", pieces)
			f(network, "PROXY TCP6 ::1 ::2 1 2\r\n", "[::1]:1", "[::2]:2", pieces)
			f(network, "PROXY UNKNOWN\r\n", "", "", pieces)
			f(network, "PROXY UNKNOWN who knows\r\n", "", "", pieces)
			f(network, v2(cmdProxy, famTCP4, block4), "192.0.2.1:4711", "198.51.100.1:443", pieces)
			f(network, v2(cmdProxy, famTCP6, block6+field(4, "pad")), "[2001:db8::1]:1", "[::1]:2", pieces)
			f(network, v2(cmdLocal, 0, ""), "", "", pieces)
			f(network, summed(block4, field(4, string(make([]byte, 100))), 0), "192.0.2.1:4711", "198.51.100.1:443", pieces)
		}
	}
}

// A socket stays what it is, for those who look for more than reads and writes
// in it.
func TestASocketStaysASocket(t *testing.T) {
	type socket interface {
		net.Conn
		syscall.Conn
		CloseWrite() error
	}
	for _, network := range []string{"tcp", "unix"} {
		peer, ours := pair(t, network)
		_, _ = io.WriteString(peer, line)
		as, _, err := Accept(ours)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := as.(socket); !ok {
			t.Errorf("%s: %T is no socket", network, as)
		}
		if _, ok := as.(interface{ SetLinger(int) error }); ok != (network == "tcp") {
			t.Errorf("%s: can it be reset: %v", network, ok)
		}
	}
}

// Who is not named has no address that anything could be allowed to; who
// speaks for itself is as without a header.
func TestUnnamedAndLocal(t *testing.T) {
	f := func(header string, unnamed bool) {
		t.Helper()
		peer, ours := pair(t, "tcp")
		_, _ = io.WriteString(peer, header)
		as, h, err := Accept(ours)
		if err != nil {
			t.Fatal(err)
		}
		_, named := as.RemoteAddr().(*net.TCPAddr)
		if named == unnamed || h.Local == unnamed {
			t.Errorf("%q: comes from %T %v", header, as.RemoteAddr(), as.RemoteAddr())
		}
		if as.LocalAddr().String() != ours.LocalAddr().String() {
			t.Errorf("%q: came to %v", header, as.LocalAddr())
		}
	}
	f("PROXY UNKNOWN\r\n", true)
	f(v2(cmdProxy, famNone, ""), true)
	f(v2(cmdProxy, famUnix, string(make([]byte, 216))), true)
	f(v2(cmdLocal, famTCP4, block4), false)
}

func TestHeadersThatDoNotCome(t *testing.T) {
	f := func(sent string, end func(net.Conn), want error) {
		t.Helper()
		peer, ours := pair(t, "tcp")
		_, _ = io.WriteString(peer, sent)
		end(peer)
		_ = ours.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, _, err := Accept(ours); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", sent, err, want)
		}
	}
	leave := func(c net.Conn) { _ = c.Close() }
	stay := func(net.Conn) {}
	f("", leave, io.EOF)
	f("PROXY", leave, io.ErrUnexpectedEOF)
	f(line[:40], leave, io.ErrUnexpectedEOF)
	f("", stay, os.ErrDeadlineExceeded)
	f(line[:len(line)-1], stay, os.ErrDeadlineExceeded)
	f(string(signV2), stay, os.ErrDeadlineExceeded)
	f("G", stay, ErrNone)
	f("PROXY TCP7 a b c d", stay, ErrMalformed)
}

func TestBetween(t *testing.T) {
	f := func(c net.Conn, want string) {
		t.Helper()
		h := Between(2, c)
		if got := said(string(h.Append(nil))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(nil, "local")
	peer, ours := pair(t, "tcp")
	f(ours, "v2 "+peer.LocalAddr().String()+" > "+ours.LocalAddr().String())
	_, _ = io.WriteString(peer, line)
	as, _, _ := Accept(ours)
	f(as, "v2 192.0.2.1:4711 > 198.51.100.1:443")
	peer, ours = pair(t, "unix")
	f(ours, "v2 unnamed")
}
