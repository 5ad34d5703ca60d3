package proxyproto

import (
	"io"
	"net"
	"net/netip"
	"slices"
)

// usual is what headers have room in, version 2's with the fields that the
// large clouds add.
const usual = 128

// Accept reads the header that nc begins with, and returns nc as a connection
// between the ends that it says. That is still a plain socket if nc is one:
// what was embedded can do, it can do. A deadline is the caller's to set; with
// an error, nc is the caller's to close. io.EOF: nothing came at all. What h
// borrows is nobody else's.
func Accept(nc net.Conn) (as net.Conn, h Header, err error) {
	b := make([]byte, 0, usual)
	for {
		n, err := h.Parse(b)
		if err == nil {
			return h.over(nc), h, nil
		}
		if err != ErrMore {
			return nil, h, err
		}
		b = slices.Grow(b, n)
		n, err = nc.Read(b[len(b) : len(b)+n])
		b = b[:len(b)+n]
		switch {
		case n > 0 || err == nil: // a failure comes again
		case err == io.EOF && len(b) > 0:
			return nil, h, io.ErrUnexpectedEOF
		default:
			return nil, h, err
		}
	}
}

// over is nc with what h says of its ends.
func (h *Header) over(nc net.Conn) net.Conn {
	if h.Local {
		return nc
	}
	e := ends{local: nc.LocalAddr(), remote: Unnamed{nc.RemoteAddr()}, secure: h.TLS}
	if h.Src.IsValid() {
		e.local, e.remote = net.TCPAddrFromAddrPort(h.Dst), net.TCPAddrFromAddrPort(h.Src)
	}
	switch c := nc.(type) {
	case *net.TCPConn:
		return &tcpConn{c, e}
	case *net.UnixConn:
		return &unixConn{c, e}
	}
	return &otherConn{nc, e}
}

// Unnamed is who was spoken for without being named, by the proxy with the
// address Via.
type Unnamed struct{ Via net.Addr }

// Network is the proxy's.
func (u Unnamed) Network() string { return u.Via.Network() }

func (u Unnamed) String() string { return "unnamed, by " + u.Via.String() }

// ends are the two of a connection, and how the one came to the proxy.
type ends struct {
	local, remote net.Addr
	secure        bool
}

// Secure tells whether the client came by TLS, though there is none here.
func (e *ends) Secure() bool { return e.secure }

// The kinds of socket stay what they are, so that all that is looked for in
// them is found: the raw socket, the half that is closed, the reset.
type (
	tcpConn struct {
		*net.TCPConn
		ends
	}
	unixConn struct {
		*net.UnixConn
		ends
	}
	otherConn struct {
		net.Conn
		ends
	}
)

func (c *tcpConn) LocalAddr() net.Addr    { return c.local }
func (c *tcpConn) RemoteAddr() net.Addr   { return c.remote }
func (c *unixConn) LocalAddr() net.Addr   { return c.local }
func (c *unixConn) RemoteAddr() net.Addr  { return c.remote }
func (c *otherConn) LocalAddr() net.Addr  { return c.local }
func (c *otherConn) RemoteAddr() net.Addr { return c.remote }

// Between returns what a proxy says in its header of the given version of a
// client's connection, as which the client may have come through others. nil:
// it speaks for itself.
func Between(version int, client net.Conn) Header {
	h := Header{Version: version}
	if client == nil || client.RemoteAddr() == nil {
		h.Local = true
		return h
	}
	h.Src, h.Dst = addrPort(client.RemoteAddr()), addrPort(client.LocalAddr())
	return h
}

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	p := t.AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
