package proxyproto

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Header is what a proxy says of a connection.
type Header struct {
	Version int  // 1 or 2
	Local   bool // the proxy speaks for itself, as health checks do; only in version 2

	// Src is the client, Dst where it connected to; IPv4 never as IPv6. Not
	// valid: the proxy cannot say, or they are no IP addresses.
	Src, Dst netip.AddrPort

	TLS bool // the client came to the proxy by TLS, which ended there; only in version 2, and never sent

	// The fields of version 2 that are of use, borrowed from what was parsed;
	// nil: not there. Append sends none.
	ALPN      []byte // what the client's protocol is
	Authority []byte // the name that it asked for
	UniqueID  []byte // by which the proxy knows the connection, at most 128 bytes
}

// Bounds on what is read of a header, in bytes.
const (
	MaxV1 = 107 // with the line's end, as the specification has it
	MaxV2 = 4 << 10

	fixedV2 = 16 // MaxV2 counts what is behind them
)

var (
	signV1 = []byte("PROXY ")
	signV2 = []byte("\r\n\r\n\x00\r\nQUIT\n")
)

// Version 2's bytes for commands, and for families with their transport.
const (
	cmdLocal = 0x20
	cmdProxy = 0x21

	famNone = 0x00
	famTCP4 = 0x11
	famTCP6 = 0x21
	famUnix = 0x31
)

// Append appends h as its Version says it. What version 1 has no word for is
// UNKNOWN: both LOCAL, and a client without an address.
func (h *Header) Append(dst []byte) []byte {
	if h.Version == 1 {
		return h.appendV1(dst)
	}
	return h.appendV2(dst)
}

func (h *Header) appendV1(dst []byte) []byte {
	if h.Local || !h.Src.IsValid() {
		return append(dst, "PROXY UNKNOWN\r\n"...)
	}
	src, to := h.ends()
	if src.Addr().Is4() {
		dst = append(dst, "PROXY TCP4 "...)
	} else {
		dst = append(dst, "PROXY TCP6 "...)
	}
	dst = append(src.Addr().AppendTo(dst), ' ')
	dst = append(to.Addr().AppendTo(dst), ' ')
	dst = append(strconv.AppendUint(dst, uint64(src.Port()), 10), ' ')
	return append(strconv.AppendUint(dst, uint64(to.Port()), 10), "\r\n"...)
}

func (h *Header) appendV2(dst []byte) []byte {
	dst = append(dst, signV2...)
	switch {
	case h.Local:
		return append(dst, cmdLocal, famNone, 0, 0)
	case !h.Src.IsValid():
		return append(dst, cmdProxy, famNone, 0, 0)
	}
	src, to := h.ends()
	if src.Addr().Is4() {
		dst = append(dst, cmdProxy, famTCP4, 0, 4+4+2+2)
	} else {
		dst = append(dst, cmdProxy, famTCP6, 0, 16+16+2+2)
	}
	dst = appendAddr(appendAddr(dst, src.Addr()), to.Addr())
	dst = binary.BigEndian.AppendUint16(dst, src.Port())
	return binary.BigEndian.AppendUint16(dst, to.Port())
}

func appendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		b := a.As4()
		return append(dst, b[:]...)
	}
	b := a.As16()
	return append(dst, b[:]...)
}

// ends are both ends in the same family, as a header has room for one: if they
// differ, that is IPv6. Zones mean nothing elsewhere.
func (h *Header) ends() (src, dst netip.AddrPort) {
	s, d := h.Src.Addr().Unmap().WithZone(""), h.Dst.Addr().Unmap().WithZone("")
	switch {
	case !d.IsValid() && s.Is4():
		d = netip.IPv4Unspecified()
	case !d.IsValid():
		d = netip.IPv6Unspecified()
	case s.Is4() != d.Is4():
		s, d = netip.AddrFrom16(s.As16()), netip.AddrFrom16(d.As16())
	}
	return netip.AddrPortFrom(s, h.Src.Port()), netip.AddrPortFrom(d, h.Dst.Port())
}
