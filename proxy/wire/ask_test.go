package wire

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
)

// request is one as Ask takes it over.
func request(s string) []byte { return append(AcquireBuffer(len(s))[:0], s...) }

func TestAskBringsTheAnswer(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		go func() {
			b := make([]byte, 8)
			for {
				if _, err := io.ReadFull(peer, b); err != nil {
					return
				}
				peer.Write(b[6:])
			}
		}()
		for i := range 1000 {
			c.ReadWithin(patience)
			sent, err := c.Ask(request("question"), nil)
			if !sent || err != nil {
				t.Fatalf("%d: sent %v, %v", i, sent, err)
			}
			for len(c.Buffered()) < 2 {
				must(t, c.Fill(100))
			}
			if string(c.Buffered()) != "on" {
				t.Fatalf("%d: %q", i, c.Buffered())
			}
			c.Skip(2)
			c.Release()
		}
	})
}

func TestAskOnADeadConnectionSendsNothing(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		if c.raw == nil && t.Name()[len(t.Name())-4:] == "pipe" {
			t.Skip("a pipe in memory has no state to ask for")
		}
		peer.Close()
		if c.raw != nil {
			await(t, "the end to arrive", c.Left)
		}
		if sent, err := c.Ask(request("question"), nil); sent || err != ErrStale {
			t.Errorf("sent %v, %v", sent, err)
		}
	})
}

func TestAskOnAConnectionWithBytesSendsNothing(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		if c.raw == nil {
			t.Skip("only a socket can be looked at without reading")
		}
		_, err := peer.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
		must(t, err)
		await(t, "bytes to arrive", func() bool { return !c.Silent() })
		if sent, err := c.Ask(request("question"), nil); sent || err != ErrStale {
			t.Errorf("sent %v, %v", sent, err)
		}
		must(t, c.NetConn().Close())
		if got, _ := io.ReadAll(peer); len(got) > 0 {
			t.Errorf("%q arrived", got)
		}
	})
}

func TestAskWithBufferedBytesSendsNothing(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		go peer.Write([]byte("surplus"))
		must(t, c.Await(true))
		if sent, err := c.Ask(request("question"), nil); sent || err != ErrStale {
			t.Errorf("sent %v, %v", sent, err)
		}
	})
}

// A request that no socket takes at once goes on when the peer reads.
func TestAskGoesOnWithABigRequest(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		big := strings.Repeat("0123456789abcdef", 1<<19)
		got := make(chan []byte)
		go func() {
			await(t, "the write to stop", parked(&c.wr))
			b := make([]byte, len(big))
			_, err := io.ReadFull(peer, b)
			must(t, err)
			got <- b
			_, err = peer.Write([]byte("answer"))
			must(t, err)
		}()
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			if sent, err := c.Ask(request(big[:100]), []byte(big[100:])); !sent || err != nil || string(c.Buffered()) != "answer" {
				t.Errorf("sent %v, %v, %q", sent, err, c.Buffered())
			}
		}()
		if !bytes.Equal(<-got, []byte(big)) {
			t.Error("other bytes arrived")
		}
		<-asked
	})
}

func TestAskTellsThatItWasSent(t *testing.T) {
	overLinks(t, func(t *testing.T, c *Conn, peer net.Conn) {
		go func() {
			io.ReadFull(peer, make([]byte, 8))
			peer.Close()
		}()
		if sent, err := c.Ask(request("question"), nil); !sent || err != io.EOF {
			t.Errorf("sent %v, %v", sent, err)
		}
	})
}

func TestAskOfAPeerThatResets(t *testing.T) {
	g := newGuard(t)
	a, b := tcp(t)
	c := g.conn(t, a)
	go func() {
		io.ReadFull(b, make([]byte, 4)) // the rest is what it is reset for
		b.(*net.TCPConn).SetLinger(0)
		b.Close()
	}()
	if sent, err := c.Ask(request("question"), nil); !sent || err == nil || err == ErrStale || err == io.EOF {
		t.Errorf("sent %v, %v", sent, err)
	}
}
