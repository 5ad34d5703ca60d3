package proxyproto

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// parseV2 has at least all but the last of the fixed bytes.
func (h *Header) parseV2(b []byte) (int, error) {
	if b[12] != cmdLocal && b[12] != cmdProxy {
		return 0, ErrMalformed // among them all other versions
	}
	if len(b) < fixedV2 {
		return fixedV2 - len(b), ErrMore
	}
	length := int(binary.BigEndian.Uint16(b[14:]))
	if length > MaxV2 {
		return 0, ErrLong
	}
	n := fixedV2 + length
	if len(b) < n {
		return n - len(b), ErrMore
	}
	if b[12] == cmdLocal { // whatever it says
		h.Local = true
		return n, nil
	}
	return n, h.parseBlock(b[:n], b[13])
}

// parseBlock takes the addresses and what is behind them. Without a family
// nobody knows where the addresses end, and nothing is taken.
func (h *Header) parseBlock(b []byte, family byte) error {
	at := fixedV2
	switch family {
	case famNone:
		return nil
	case famTCP4:
		at += 2*4 + 2*2
	case famTCP6:
		at += 2*16 + 2*2
	case famUnix:
		at += 2 * 108
	default:
		return ErrFamily
	}
	if len(b) < at {
		return ErrMalformed
	}
	if family != famUnix {
		h.Src, h.Dst = addresses(b[fixedV2:at])
	}
	return h.parseFields(b, at)
}

// addresses takes both addresses, then both ports.
func addresses(b []byte) (src, dst netip.AddrPort) {
	ports := b[len(b)-4:]
	b = b[:len(b)-4]
	s, _ := netip.AddrFromSlice(b[:len(b)/2])
	d, _ := netip.AddrFromSlice(b[len(b)/2:])
	return netip.AddrPortFrom(s.Unmap(), binary.BigEndian.Uint16(ports)),
		netip.AddrPortFrom(d.Unmap(), binary.BigEndian.Uint16(ports[2:]))
}

// Types of fields. Others are let be: there are those of clouds, and of TLS.
const (
	typeALPN      = 0x01
	typeAuthority = 0x02
	typeCRC32C    = 0x03
	typeUniqueID  = 0x05
	typeTLS       = 0x20

	maxUniqueID = 128
	leastTLS    = 1 + 4  // flags, and what became of the client's certificate
	flagTLS     = 1 << 0 // it did come by TLS
)

// parseFields takes the fields of b from at on: a type, two bytes of length,
// and the value.
func (h *Header) parseFields(b []byte, at int) error {
	for at < len(b) {
		if len(b)-at < 3 {
			return ErrMalformed
		}
		kind, n := b[at], int(binary.BigEndian.Uint16(b[at+1:]))
		if at += 3; len(b)-at < n {
			return ErrMalformed
		}
		if err := h.field(b, kind, at, at+n); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// field takes the one whose value is b[from:to].
func (h *Header) field(b []byte, kind byte, from, to int) error {
	value := b[from:to:to]
	switch kind {
	case typeALPN:
		h.ALPN = value
	case typeAuthority:
		h.Authority = value
	case typeUniqueID:
		if len(value) > maxUniqueID {
			return ErrMalformed
		}
		h.UniqueID = value
	case typeTLS:
		if len(value) < leastTLS {
			return ErrMalformed
		}
		h.TLS = value[0]&flagTLS != 0
	case typeCRC32C:
		if len(value) != crc32.Size {
			return ErrMalformed
		}
		if binary.BigEndian.Uint32(value) != checksum(b, from) {
			return ErrChecksum
		}
	}
	return nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is that of the whole header, with zeros where it is itself.
func checksum(b []byte, at int) uint32 {
	var zeros [crc32.Size]byte
	sum := crc32.Update(0, castagnoli, b[:at])
	sum = crc32.Update(sum, castagnoli, zeros[:])
	return crc32.Update(sum, castagnoli, b[at+crc32.Size:])
}
