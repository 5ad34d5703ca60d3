package server

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"multiserver/proxy/config"
)

// handOut is a socket as another process would be given it.
func handOut(t *testing.T, name string, made bool, of any) Socket {
	t.Helper()
	fd, err := copied(of)
	if err != nil {
		t.Fatal(err)
	}
	return Socket{name, made, fd}
}

func listenOn(t *testing.T, network, at string) net.Listener {
	t.Helper()
	ln, err := net.Listen(network, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

func TestHandedSocketsAreFoundByNameAndPlace(t *testing.T) {
	tcp, unix := listenOn(t, "tcp", "127.0.0.1:0"), listenOn(t, "unix", filepath.Join(t.TempDir(), "s"))
	at := config.Address{Network: "tcp", Addr: tcp.Addr().String()}
	path := config.Address{Network: "unix", Addr: unix.Addr().String()}
	_, port, _ := net.SplitHostPort(at.Addr)
	f := func(heir bool, names string, setting string, a config.Address, want int) {
		t.Helper()
		h := Handed{Heir: heir}
		for _, name := range strings.Fields(names) {
			name = strings.ReplaceAll(name, "_", " ")
			if strings.HasPrefix(name, "unix") {
				h.Sockets = append(h.Sockets, handOut(t, name, false, unix))
			} else {
				h.Sockets = append(h.Sockets, handOut(t, name, true, tcp))
			}
		}
		found, err := h.take(setting+" "+a.String(), a)
		for _, one := range found {
			one.Close()
		}
		if err != nil || len(found) != want {
			t.Errorf("%s for %s %s: %d found, %v, want %d", names, setting, a, len(found), err, want)
		}
		h.close()
	}
	any := config.Address{Network: "tcp", Addr: "127.0.0.1:0"}
	web := config.Address{Network: byName, Addr: "web"}
	f(true, "--listen_127.0.0.1:0", "--listen", any, 1)
	f(true, "--listen_127.0.0.1:0 --listen_127.0.0.1:0", "--listen", any, 1)
	f(true, "--listen_127.0.0.1:0", "--admin", any, 0)
	f(true, "--listen_fd:web --listen_fd:web", "--listen", web, 2)
	f(true, "web", "--listen", web, 0)
	f(true, "--listen_:1", "--tls-listen", at, 1)
	f(false, "web other web", "--listen", web, 2)
	f(false, "web", "--listen", at, 1)
	f(false, "unix", "--listen", at, 0)
	f(false, "unix", "--listen", path, 1)
	f(false, "web", "--listen", path, 0)
	f(false, "web", "--listen", config.Address{Network: "tcp", Addr: ":" + port}, 0)
	f(false, "web", "--listen", config.Address{Network: "tcp", Addr: "127.0.0.2:" + port}, 0)
}

func TestNobodyIsTakenBeforeTheOtherProcessHasLeft(t *testing.T) {
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	var s sockets
	s.begin(Handed{Heir: true, Sockets: []Socket{handOut(t, "--listen 127.0.0.1:0", true, ln)}})
	doors, err := s.listen("--listen", config.Address{Network: "tcp", Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	guarded := s.guarded(doors[0].Listener)
	defer guarded.Close()
	taken := make(chan string, 1)
	go func() {
		nc, err := guarded.Accept()
		if err != nil {
			taken <- err.Error()
			return
		}
		defer nc.Close()
		taken <- nc.RemoteAddr().String()
	}()
	first, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	there, err := ln.Accept() // by the old one, as the new one may not yet
	if err != nil {
		t.Fatal(err)
	}
	there.Close()
	ln.Close()
	second, err := net.Dial("tcp", guarded.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	close(s.enter)
	if got := <-taken; got != second.LocalAddr().String() {
		t.Errorf("taken: %s, want %s", got, second.LocalAddr())
	}
}

func TestWhatNobodyWantsIsAMistakeOfAServiceManagersOnly(t *testing.T) {
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	f := func(heir bool, want string) {
		t.Helper()
		var s sockets
		s.begin(Handed{Heir: heir, Sockets: []Socket{handOut(t, "web", false, ln)}})
		err := s.rest(slog.New(slog.DiscardHandler))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("heir %v: %v, want %q", heir, err, want)
		}
	}
	f(true, "")
	f(false, "socket web ("+ln.Addr().String()+") was handed over, and no setting leads there")
}

func TestAFailedStartLeavesTheSocketsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ln := listenOn(t, "unix", path)
	var s sockets
	s.begin(Handed{Heir: true, Sockets: []Socket{handOut(t, "--listen unix:"+path, true, ln)}})
	if _, err := s.listen("--listen", config.Address{Network: "unix", Addr: path}); err != nil {
		t.Fatal(err)
	}
	s.abandon()
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// A packet of QUIC is for whoever chose the connection id that it bears.
func TestPacketsAreForWhoChoseTheirConnection(t *testing.T) {
	r := &relay{tags: [][]byte{[]byte("tagA"), []byte("tagB")}}
	f := func(packet string, want bool) {
		t.Helper()
		if got := r.knows([]byte(packet)); got != want {
			t.Errorf("%q: %v, want %v", packet, got, want)
		}
	}
	f("\x40tagA1234payload", true)
	f("\x40tagB1234payload", true)
	f("\x40tagC1234payload", false)
	f("\x40tagA", false)
	f("\xc0\x00\x00\x00\x01\x08tagA1234\x00", true)
	f("\xe0\x00\x00\x00\x01\x08tagC1234\x00", false)
	f("\xc0\x00\x00\x00\x01\x04tagA1234\x00", false)
	f("\xc0\x00\x00\x00\x01\xfftagA", false)
	f("\xc0\x00", false)
	f("", false)
}

func TestARelayCarriesPackets(t *testing.T) {
	from, other, err := pair(&net.UDPAddr{Port: 443}, [][]byte{[]byte("tagA")})
	if err != nil {
		t.Fatal(err)
	}
	h := Handed{Heir: true, Sockets: []Socket{other}}
	to := h.takeRelay(&net.UDPAddr{Port: 443})
	if to == nil || len(to.tags) != 1 || string(to.tags[0]) != "tagA" {
		t.Fatalf("the other end: %+v", to)
	}
	defer from.nc.Close()
	peer := &net.UDPAddr{IP: net.ParseIP("2001:db8::1"), Port: 4433}
	if !to.send(peer, []byte("oob"), []byte("packet")) {
		t.Fatal("not sent")
	}
	_ = from.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
	addr, oob, b, err := from.receive()
	if err != nil || addr.String() != peer.String() || string(oob) != "oob" || string(b) != "packet" {
		t.Errorf("received %v %q %q %v", addr, oob, b, err)
	}
	for range 10_000 { // nobody reads: the rest is dropped, and nobody waits
		if !to.send(peer, nil, make([]byte, 1200)) {
			t.Fatal("a reader that is slow was taken for gone")
		}
	}
	from.nc.Close()
	if to.send(peer, nil, []byte("packet")) {
		t.Error("a reader that is gone was not noticed")
	}
	to.nc.Close()
}

// While another process drains, its packets are taken out of what was read,
// and the rest moves up by its bytes.
func TestOthersPacketsAreTakenOut(t *testing.T) {
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := newPackets(pc, nil)
	defer p.Close()
	from, other, err := pair(pc.LocalAddr(), [][]byte{[]byte("tagA")})
	if err != nil {
		t.Fatal(err)
	}
	defer from.nc.Close()
	h := Handed{Heir: true, Sockets: []Socket{other}}
	p.older.Store(h.takeRelay(pc.LocalAddr()))
	var ms []ipv4.Message
	for _, text := range []string{"\x40tagA1234", "\x40" + string(p.tag) + "5678", "\x40tagA9999", "\xc0\x00\x00\x00\x01\x08newcomer"} {
		b := make([]byte, 64)
		ms = append(ms, ipv4.Message{Buffers: [][]byte{b}, N: copy(b, text), OOB: make([]byte, 8), Addr: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9}})
	}
	first := &ms[0].Buffers[0][0]
	if n := p.sort(p.older.Load(), ms); n != 2 || !bytes.HasSuffix(ms[0].Buffers[0][:ms[0].N], []byte("5678")) || !bytes.HasSuffix(ms[1].Buffers[0][:ms[1].N], []byte("newcomer")) {
		t.Errorf("%d are left: %q %q", n, ms[0].Buffers[0], ms[1].Buffers[0])
	}
	if first != &ms[0].Buffers[0][0] {
		t.Error("buffers changed places")
	}
	for _, want := range []string{"1234", "9999"} {
		_ = from.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, _, b, err := from.receive(); err != nil || !bytes.HasSuffix(b, []byte(want)) {
			t.Errorf("handed on: %q, %v, want %s", b, err, want)
		}
	}
}

// What os.StartProcess would do to a descriptor must not come back to us.
func TestSocketsStayNonBlocking(t *testing.T) {
	ln := listenOn(t, "tcp", "127.0.0.1:0")
	one := handOut(t, "", true, ln)
	defer syscall.Close(one.FD)
	flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(one.FD), syscall.F_GETFL, 0)
	if errno != 0 || flags&syscall.O_NONBLOCK == 0 {
		t.Errorf("flags %#x, %v", flags, errno)
	}
}

func FuzzConnectionIDs(f *testing.F) {
	f.Add([]byte("\x40tagA1234payload"))
	f.Add([]byte("\xc0\x00\x00\x00\x01\xfftagA"))
	r := &relay{tags: [][]byte{[]byte("tagA")}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r.knows(b) && !bytes.Contains(b, []byte("tagA")) {
			t.Errorf("%q: taken for another's", b)
		}
	})
}
