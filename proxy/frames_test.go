package proxy

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// frame is one as a server sends it, or a client, whose key is all ones.
func frame(first byte, masked bool, payload int) []byte {
	b := []byte{first, 0}
	switch {
	case payload <= 125:
		b[1] = byte(payload)
	case payload < 1<<16:
		b[1] = 126
		b = binary.BigEndian.AppendUint16(b, uint16(payload))
	default:
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, uint64(payload))
	}
	if masked {
		b[1] |= maskBit
		b = append(b, 0xff, 0xff, 0xff, 0xff)
	}
	return append(b, bytes.Repeat([]byte{0x81}, payload)...)
}

const (
	text, more, last      = 0x81, 0x00, 0x80
	textBegins, binBegins = 0x01, 0x02
	closing, ping, pong   = 0x88, 0x89, 0x8a
)

// Where a stream stands: between messages, between the frames of one, within
// a frame, behind a Close, or nobody knows where.
func stands(f *frames) string {
	switch {
	case f.lost:
		return "lost"
	case f.AtMessage():
		return "message"
	case f.AtFrame():
		return "frame"
	case f.closed && f.left == 0:
		return "closed"
	}
	return "within"
}

func TestFramesAreFollowed(t *testing.T) {
	type sent struct {
		first   byte
		payload int
	}
	for _, c := range []struct {
		what   string
		frames []sent
		want   string
	}{
		{"nothing", nil, "message"},
		{"an empty message", []sent{{text, 0}}, "message"},
		{"125 bytes", []sent{{text, 125}}, "message"},
		{"126 bytes", []sent{{text, 126}}, "message"},
		{"65535 bytes", []sent{{0x82, 65535}}, "message"},
		{"65536 bytes", []sent{{0x82, 65536}}, "message"},
		{"many", []sent{{text, 1}, {0x82, 300}, {ping, 0}, {text, 70000}, {pong, 125}}, "message"},
		{"compressed", []sent{{0xc1, 20}}, "message"},
		{"a message begun", []sent{{textBegins, 5}}, "frame"},
		{"one that goes on", []sent{{binBegins, 5}, {more, 200}}, "frame"},
		{"one that ends", []sent{{textBegins, 5}, {more, 0}, {last, 5}}, "message"},
		{"a ping within", []sent{{textBegins, 5}, {ping, 4}}, "frame"},
		{"a ping within, and the end", []sent{{textBegins, 5}, {ping, 4}, {pong, 0}, {last, 66000}}, "message"},
		{"a Close", []sent{{text, 5}, {closing, 2}}, "closed"},
		{"a Close within a message", []sent{{textBegins, 5}, {closing, 0}}, "closed"},
		{"a frame behind a Close", []sent{{closing, 0}, {text, 1}}, "lost"},
		{"a message within another", []sent{{textBegins, 5}, {text, 1}}, "lost"},
		{"the end of none", []sent{{last, 5}}, "lost"},
		{"a long ping", []sent{{ping, 126}}, "lost"},
		{"half a ping", []sent{{0x09, 1}}, "lost"},
		{"a reserved opcode", []sent{{0x83, 1}}, "lost"},
		{"a reserved control", []sent{{0x8b, 1}}, "lost"},
	} {
		for _, masked := range []bool{false, true} {
			var b []byte
			for _, s := range c.frames {
				b = append(b, frame(s.first, masked, s.payload)...)
			}
			for _, piece := range []int{1, 2, 3, 7, 1000, 1 << 20} {
				f := frames{masked: masked}
				for rest := b; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
					f.Follow(rest[:min(piece, len(rest))])
				}
				if got := stands(&f); got != c.want {
					t.Errorf("%s, masked %v, %d bytes at a time: %s, want %s", c.what, masked, piece, got, c.want)
				}
			}
		}
	}
}

func TestFramesAreAtNoBoundaryWithinOne(t *testing.T) {
	for _, payload := range []int{1, 125, 126, 65535, 65536} {
		for _, masked := range []bool{false, true} {
			f, b := frames{masked: masked}, frame(text, masked, payload)
			header := len(b) - payload
			for i := range b[:len(b)-1] {
				f.Follow(b[i : i+1])
				want := uint64(max(0, len(b)-1-i))
				if i < header-1 {
					want = 0 // nobody knows yet
				}
				if stands(&f) != "within" || f.Left() != want {
					t.Fatalf("%d of %d+%d bytes: %s, %d left", i+1, header, payload, stands(&f), f.Left())
				}
			}
			f.Follow(b[len(b)-1:])
			if !f.AtMessage() {
				t.Errorf("%d bytes, masked %v: at no end", payload, masked)
			}
		}
	}
}

func TestFramesThatAreNoneAreLost(t *testing.T) {
	f := func(masked bool, b string) {
		t.Helper()
		s := frames{masked: masked}
		s.Follow([]byte(b))
		if !s.lost || s.AtFrame() || s.Left() != 0 {
			t.Errorf("%q, masked %v: %s, %d left", b, masked, stands(&s), s.Left())
		}
	}
	f(false, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	f(true, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	f(true, string(frame(text, false, 5)))                              // a client that does not mask
	f(false, string(frame(text, true, 5)))                              // a server that does
	f(false, "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00")                // §5.2: the highest bit is 0
	f(true, "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04") // the same
}

func TestPayloadMayPassUnseen(t *testing.T) {
	f := frames{}
	f.Follow(frame(0x82, false, 1<<20)[:1000])
	f.Passed(int64(f.Left()) - 1)
	if f.AtFrame() || f.Left() != 1 {
		t.Errorf("%d left", f.Left())
	}
	if f.Passed(1); !f.AtMessage() {
		t.Error("at no end")
	}
}

// Our own frames are whole and right to the letter.
func TestOurCloseIsFollowed(t *testing.T) {
	for _, c := range []struct {
		masked bool
		b      []byte
	}{{false, goingAway}, {true, maskedAway}} {
		f := frames{masked: c.masked}
		f.Follow(c.b)
		if stands(&f) != "closed" || binary.BigEndian.Uint16(c.b[len(c.b)-2:]) != 1001 {
			t.Errorf("%x: %s", c.b, stands(&f))
		}
	}
}

// In pieces or at once, the same stream stands at the same place.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{}, 1, false)
	f.Add(append(frame(textBegins, true, 130), frame(last, true, 3)...), 5, true)
	f.Add(frame(0x82, false, 65536), 100, false)
	f.Add(append(frame(closing, false, 2), 0x81, 0), 1, false)
	f.Fuzz(func(t *testing.T, b []byte, piece int, masked bool) {
		piece = max(1, piece)
		one, many := frames{masked: masked}, frames{masked: masked}
		one.Follow(b)
		for rest := b; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			many.Follow(rest[:min(piece, len(rest))])
		}
		if stands(&one) != stands(&many) || one.Left() != many.Left() {
			t.Errorf("%x at once: %s, %d left; %d at a time: %s, %d", b, stands(&one), one.Left(), piece, stands(&many), many.Left())
		}
	})
}
