package edge

import "encoding/binary"

// frame is a frame's head (RFC 9113 §4.1).
type frame struct {
	size  int
	kind  uint8
	flags uint8
	id    uint32
}

const (
	frameHead = 9
	mostFrame = 16 << 10 // the least that may be set, so that all may be sent as much
)

// The frames of RFC 9113 §6.
const (
	dataFrame uint8 = iota
	headersFrame
	priorityFrame
	resetFrame
	settingsFrame
	pushFrame
	pingFrame
	goAwayFrame
	windowFrame
	continuationFrame
)

const (
	flagEnd      = 0x1 // END_STREAM
	flagAck      = 0x1
	flagHeads    = 0x4 // END_HEADERS
	flagPadded   = 0x8
	flagPriority = 0x20
)

// The error codes of RFC 9113 §7 that are used.
const (
	codeNone        uint32 = 0x0
	codeProtocol    uint32 = 0x1
	codeInternal    uint32 = 0x2
	codeFlow        uint32 = 0x3
	codeClosed      uint32 = 0x5
	codeSize        uint32 = 0x6
	codeRefused     uint32 = 0x7
	codeCancel      uint32 = 0x8
	codeCompression uint32 = 0x9
	codeCalm        uint32 = 0xb
	codeInsecure    uint32 = 0xc
)

// mostID is also the most that a window may be.
const mostID = 1<<31 - 1

func (f *frame) has(flag uint8) bool { return f.flags&flag != 0 }

// parseFrame reads a head from the first frameHead bytes of b.
func parseFrame(b []byte) frame {
	return frame{
		size:  int(b[0])<<16 | int(b[1])<<8 | int(b[2]),
		kind:  b[3],
		flags: b[4],
		id:    binary.BigEndian.Uint32(b[5:]) & mostID,
	}
}

func appendFrame(dst []byte, kind, flags uint8, id uint32, size int) []byte {
	dst = append(dst, byte(size>>16), byte(size>>8), byte(size), kind, flags)
	return binary.BigEndian.AppendUint32(dst, id)
}

// appendNumber appends a frame that says one number: RST_STREAM, WINDOW_UPDATE.
func appendNumber(dst []byte, kind uint8, id, n uint32) []byte {
	return binary.BigEndian.AppendUint32(appendFrame(dst, kind, 0, id, 4), n)
}

func appendGoAway(dst []byte, last, code uint32) []byte {
	dst = binary.BigEndian.AppendUint32(appendFrame(dst, goAwayFrame, 0, 0, 8), last)
	return binary.BigEndian.AppendUint32(dst, code)
}

func appendSetting(dst []byte, id uint16, value uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(dst, id), value)
}

// unpad returns the payload without padding; false: there is more of that than
// payload.
func (f *frame) unpad(p []byte) ([]byte, bool) {
	if !f.has(flagPadded) {
		return p, true
	}
	if len(p) == 0 || int(p[0]) >= len(p) {
		return nil, false
	}
	return p[1 : len(p)-int(p[0])], true
}
