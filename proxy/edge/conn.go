package edge

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"multiserver/proxy/wire"
)

// conn is one HTTP/2 connection: towards x/net what it reads, writes and calls
// for each stream; towards the core who its client is.
//
// The bytes go by a wire.Conn, so that limits on waits cost no timers, and
// while nothing comes no buffer is held.
type conn struct {
	lanes

	wire *wire.Conn
	out  outbox

	reads sync.Mutex // held by who reads: x/net closes a connection that it still reads
	begun bool       // guarded by reads
	over  bool       // guarded by reads; no more of them
}

// direct is from where on bytes are not worth gathering: the data of a body.
const direct = 4 << 10

// Read gathers: x/net reads each frame's head alone, of 9 bytes, which would
// be a system call.
func (c *conn) Read(p []byte) (n int, err error) {
	c.reads.Lock()
	defer c.reads.Unlock()
	if c.over {
		return 0, net.ErrClosed
	}
	if !c.begun {
		c.meet()
	}
	if len(c.wire.Buffered()) == 0 {
		if len(p) >= direct {
			return c.wire.Read(p)
		}
		if err := c.wire.Await(false); err != nil {
			return 0, err
		}
	}
	n = copy(p, c.wire.Buffered())
	c.wire.Skip(n)
	return n, nil
}

// meet: x/net knows the connection by now, but may have got to know it after
// Drain had told all those that it knew.
func (c *conn) meet() {
	c.begun = true
	if c.edge.draining.Load() {
		c.edge.Drain()
	}
}

func (c *conn) Write(p []byte) (int, error) { return c.out.write(p) }

// Close sends what is still to be sent, and ends the read under way; end does
// the rest.
func (c *conn) Close() error {
	c.out.end()
	return c.wire.NetConn().Close()
}

func (c *conn) LocalAddr() net.Addr                { return c.wire.NetConn().LocalAddr() }
func (c *conn) RemoteAddr() net.Addr               { return c.wire.NetConn().RemoteAddr() }
func (c *conn) SetDeadline(t time.Time) error      { return c.wire.NetConn().SetDeadline(t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.wire.NetConn().SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.wire.NetConn().SetWriteDeadline(t) }

// ServeHTTP is called by x/net for each stream.
func (c *conn) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.serve(w, r) }

// end waits for the exchanges under way, whose streams are gone, and for the
// goroutines that x/net may still have in a read or a write.
func (c *conn) end() {
	_ = c.Close()
	c.lanes.end()
	c.reads.Lock() // the read has ended
	c.over = true
	c.reads.Unlock()
}

// secureConn is a conn of which x/net asks what TLS has agreed on: RFC 9113
// §9.2.2 forbids weak ciphers.
type secureConn struct {
	*conn
	state stater
}

type stater interface{ ConnectionState() tls.ConnectionState }

func (c secureConn) ConnectionState() tls.ConnectionState { return c.state.ConnectionState() }
