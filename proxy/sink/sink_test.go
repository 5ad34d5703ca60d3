package sink

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"multiserver/proxy/wire/leak"
	"multiserver/sync/daemon"
)

func TestMain(m *testing.M) { leak.Main(m) }

const patience = 20 * time.Second

func TestFileIsLeftWhenItWasMovedAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	f, err := Append(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Write([]byte("one\n"))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	f.Write([]byte("two\n"))
	for range 2 { // who asks twice gets one file
		if err := f.Reopen(); err != nil {
			t.Fatal(err)
		}
	}
	f.Write([]byte("three\n"))
	wantFile(t, path+".1", "one\ntwo\n")
	wantFile(t, path, "three\n")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o007 != 0 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
}

func TestFileIsKeptWhenItCannotBeOpenedAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := Append(filepath.Join(dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := f.Reopen(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("opened anew in a folder that is gone: %v", err)
	}
	f.Write([]byte("one\n"))
	wantFile(t, dir+".old/access.log", "one\n")
}

func TestFullDiskIsAnError(t *testing.T) {
	f, err := Append("/dev/full")
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if n, err := f.Write([]byte("one\n")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d, %v", n, err)
	}
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s has %q, %v, want %q", path, got, err, want)
	}
}

// 22 is local3, 6 is info: 19 × 8 + 6.
var message = regexp.MustCompile(`^<158>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ multiserver \d+ access - (.*)$`)

func wantMessage(t *testing.T, got []byte, want string) {
	t.Helper()
	if m := message.FindSubmatch(got); m == nil || string(m[1]) != want {
		t.Errorf("got %q, want the message %q", got, want)
	}
}

func TestSyslogByDatagrams(t *testing.T) {
	f := func(network, addr string) {
		t.Helper()
		ln, err := net.ListenPacket(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ours := strings.TrimSuffix(network, "gram")
		s := Dial(ours, ln.LocalAddr().String(), "local3")
		defer s.Close()
		lines := []byte("one\n{\"two\":2}\n")
		if n, err := s.Write(lines); n != len(lines) || err != nil {
			t.Fatalf("%s: %d, %v", network, n, err)
		}
		for _, want := range []string{"one", `{"two":2}`} {
			wantMessage(t, receive(t, ln), want)
		}
		if long := bytes.Repeat([]byte("x"), 100<<10); network == "udp" { // longer than any datagram
			if _, err := s.Write(append(long, '\n')); err != nil {
				t.Error(err)
			}
			if got := receive(t, ln); len(got) != mostMessage {
				t.Errorf("%d bytes of a line that is too long, want %d", len(got), mostMessage)
			}
		}
	}
	f("udp", "127.0.0.1:0")
	f("unixgram", filepath.Join(t.TempDir(), "log"))
}

func receive(t *testing.T, ln net.PacketConn) []byte {
	t.Helper()
	_ = ln.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 128<<10)
	n, _, err := ln.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestSyslogThatIsStartedAnewIsFoundAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	open := func() net.PacketConn {
		ln, err := net.ListenPacket("unixgram", path)
		if err != nil {
			t.Fatal(err)
		}
		return ln
	}
	ln := open()
	s := Dial("unix", path, "local3")
	defer s.Close()
	s.Write([]byte("one\n"))
	wantMessage(t, receive(t, ln), "one")
	ln.Close()
	os.Remove(path)
	if n, err := s.Write([]byte("two\n")); n != 0 || err == nil {
		t.Errorf("%d, %v with nobody there", n, err)
	}
	ln = open()
	defer ln.Close()
	for end := time.Now().Add(patience); ; {
		if n, err := s.Write([]byte("three\n")); n == 6 && err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("not found again")
		}
		time.Sleep(10 * time.Millisecond)
	}
	wantMessage(t, receive(t, ln), "three")
}

func TestSyslogByTCP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := Dial("tcp", ln.Addr().String(), "local3")
	defer s.Close()
	for round := range 2 { // the second one after the connection broke
		lines := fmt.Appendf(nil, "one %d\ntwo\n", round)
		var n int
		var err error
		for end := time.Now().Add(patience); n == 0 && time.Now().Before(end); { // the break is noticed a moment later
			if n, err = s.Write(lines); err != nil {
				time.Sleep(10 * time.Millisecond)
			}
		}
		if n != len(lines) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		nc, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(nc)
		wantMessage(t, counted(t, nc, in), fmt.Sprintf("one %d", round))
		wantMessage(t, counted(t, nc, in), "two")
		nc.Close()
		if s.away != nil {
			s.away.done.Wait() // it has heard of it
		}
	}
}

// counted reads a frame of RFC 6587 §3.4.1.
func counted(t *testing.T, nc net.Conn, in *bufio.Reader) []byte {
	t.Helper()
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	var n int
	if _, err := fmt.Fscanf(in, "%d ", &n); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSyslogThatIsAwayIsNotTriedForEachLine(t *testing.T) {
	s := Dial("tcp", daemon.Addr(t), "local3")
	defer s.Close()
	if n, err := s.Write([]byte("one\n")); n != 0 || err == nil || err == errAway {
		t.Errorf("first: %d, %v", n, err)
	}
	s.again = time.Now().Add(time.Hour)
	if n, err := s.Write([]byte("two\n")); n != 0 || err != errAway {
		t.Errorf("then: %d, %v", n, err)
	}
}
