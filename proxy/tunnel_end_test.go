package proxy_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/proxy"
)

// tunnelTo is a tunnel whose both far ends the test has in hand.
func tunnelTo(t *testing.T, change func(*proxy.Options)) (client, origin net.Conn, p *proxy.Proxy) {
	t.Helper()
	far := make(chan net.Conn)
	over := make(chan struct{})
	addr := listen(t, func(nc net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(nc)); err != nil {
			return
		}
		io.WriteString(nc, switching)
		far <- nc
		<-over
	})
	t.Cleanup(func() { close(over) }) // before listen waits for it
	front, p := startProxyWith(t, change, addr)
	client = dial(t, front)
	fmt.Fprintf(client, handshake, "/")
	head := make([]byte, 0, 512)
	for b := make([]byte, 1); !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, b[0]) {
		if _, err := client.Read(b); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(head, []byte(" 101 ")) {
		t.Fatalf("no tunnel: %s", head)
	}
	origin = <-far
	t.Cleanup(func() { origin.Close() })
	for _, nc := range []net.Conn{client, origin} {
		nc.SetReadDeadline(time.Now().Add(patience))
	}
	return client, origin, p
}

// says wants exactly these bytes next.
func says(t *testing.T, nc net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(nc, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got[:n], err, want)
	}
}

// ends wants nothing more but the end.
func ends(t *testing.T, nc net.Conn) {
	t.Helper()
	if rest, err := io.ReadAll(nc); err != nil || len(rest) > 0 {
		t.Fatalf("%q, %v before the end", rest, err)
	}
}

func put(t *testing.T, nc net.Conn, what string) {
	t.Helper()
	if _, err := io.WriteString(nc, what); err != nil {
		t.Fatal(err)
	}
}

func shut(nc net.Conn) { nc.(*net.TCPConn).CloseWrite() }

const (
	away       = "\x88\x02\x03\xe9"                 // Close 1001
	awayMasked = "\x88\x82\x00\x00\x00\x00\x03\xe9" // the same of a client
)

func TestHalfOpenTunnelGoesOnTheOtherWay(t *testing.T) {
	for _, fromClient := range []bool{true, false} {
		a, b, p := tunnelTo(t, nil)
		if !fromClient {
			a, b = b, a
		}
		put(t, a, "last words")
		shut(a)
		says(t, b, "last words")
		ends(t, b)
		for range 3 {
			put(t, b, "still here")
			says(t, a, "still here")
			time.Sleep(20 * time.Millisecond)
		}
		shut(b)
		ends(t, a)
		await(t, "the tunnel to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
	}
}

// An end that comes in one packet with the last bytes wakes nobody by itself.
func TestEndWithTheLastBytesIsSeen(t *testing.T) {
	for range 20 {
		client, origin, _ := tunnelTo(t, nil)
		put(t, client, "hello")
		says(t, origin, "hello")
		put(t, client, "bye")
		client.Close()
		says(t, origin, "bye")
		ends(t, origin)
	}
}

func TestSlowReaderSlowsItsWriter(t *testing.T) {
	client, origin, _ := tunnelTo(t, nil)
	const size = 96 << 20
	data := bytes.Repeat([]byte("0123456789abcdef"), size>>4)
	copy(data, "\x82\x7f\x00\x00\x00\x00\x06\x00\x00\x00") // a frame up to its end, but for the last bytes
	var went atomic.Int64
	sent := make(chan error, 1)
	go func() {
		for rest := data; len(rest) > 0; {
			n, err := origin.Write(rest[:min(len(rest), 64<<10)])
			went.Add(int64(n))
			if rest = rest[n:]; err != nil {
				sent <- err
				return
			}
		}
		shut(origin)
		sent <- nil
	}()
	last := int64(-1)
	for n := went.Load(); n != last; n = went.Load() {
		last = n
		time.Sleep(200 * time.Millisecond)
	}
	if last > 48<<20 { // sockets have up to 10 MiB each here
		t.Errorf("%d MiB went to a client that does not read", last>>20)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, client)
	if want := sha256.Sum256(data); err != nil || n != size || !bytes.Equal(sum.Sum(nil), want[:]) {
		t.Errorf("%d of %d bytes, %v", n, size, err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestTunnelSaysCloseOnlyBetweenFrames(t *testing.T) {
	client, origin, p := tunnelTo(t, nil)
	put(t, origin, "\x81\x05he") // within a frame
	says(t, client, "\x81\x05he")
	p.EndTunnels(1)
	time.Sleep(100 * time.Millisecond)
	put(t, origin, "llo")
	says(t, client, "llo"+away)
	put(t, origin, "\x81\x04late") // there is nothing behind a Close
	put(t, client, "\x81\x82\x00\x00\x00\x00ok"+awayMasked)
	says(t, origin, "\x81\x82\x00\x00\x00\x00ok"+awayMasked)
	put(t, origin, away)
	origin.Close()
	ends(t, client)
}

// A client that does not answer is answered for.
func TestUpstreamIsToldForASilentClient(t *testing.T) {
	client, origin, p := tunnelTo(t, nil)
	put(t, client, "\x01\x80\x00\x00\x00\x00") // a message begun: a Close may come within
	says(t, origin, "\x01\x80\x00\x00\x00\x00")
	p.EndTunnels(1)
	says(t, client, away)
	says(t, origin, awayMasked)
	put(t, origin, away)
	shut(origin)
	ends(t, client)
	client.Close()
	ends(t, origin)
}

func TestTunnelThatIsNoWebSocketIsNotWrittenInto(t *testing.T) {
	client, origin, p := tunnelTo(t, nil)
	put(t, origin, "SSH-2.0\r\n")
	says(t, client, "SSH-2.0\r\n")
	p.EndTunnels(1)
	for range 3 {
		put(t, origin, "and so on")
		says(t, client, "and so on")
		put(t, client, "yes, yes")
		says(t, origin, "yes, yes")
	}
}

func TestOwnCloseIsNotFollowedByOurs(t *testing.T) {
	client, origin, p := tunnelTo(t, nil)
	put(t, origin, "\x88\x02\x03\xe8")
	says(t, client, "\x88\x02\x03\xe8")
	p.EndTunnels(1)
	time.Sleep(50 * time.Millisecond)
	put(t, client, "\x88\x82\x00\x00\x00\x00\x03\xe8")
	says(t, origin, "\x88\x82\x00\x00\x00\x00\x03\xe8")
	origin.Close()
	ends(t, client)
}

// Nothing of a tunnel outlives it, however it ends.
func TestBrokenTunnelEndsAtBothEnds(t *testing.T) {
	for _, fromClient := range []bool{true, false} {
		a, b, p := tunnelTo(t, nil)
		if !fromClient {
			a, b = b, a
		}
		put(t, a, "x")
		says(t, b, "x")
		a.(*net.TCPConn).SetLinger(0)
		a.Close()
		if _, err := io.ReadAll(b); err != nil {
			t.Log(err) // a reset is as good
		}
		await(t, "the tunnel to end", func() bool { return p.Stats.Upgraded.Load() == 0 })
	}
}
