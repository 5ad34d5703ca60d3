package proxy

import "bytes"

// sieve takes out of a backend's frames the text messages that begin with eat,
// and the prefix strip off those that begin with that. All else passes as it
// is, and as soon as it is here, but for a message's first bytes, which wait
// until they are as many as a prefix has.
type sieve struct {
	eat, strip []byte

	in    frames // where the backend's stream stands
	head  []byte // held back: a header, and payload up to where that is judged
	want  int    // bytes of payload that head needs yet
	eats  bool   // the message under way is eaten
	skips bool   // and so is the payload under way
	text  []byte // what was eaten of it
	long  bool   // it is too long, and nobody hears it
	out   []byte // what passed last, to be used again
	over  bool   // nothing passes any more: set by heard
}

// maxEaten bounds a message that is eaten: longer ones are for nobody.
const maxEaten = 64 << 10

// Pass appends what passes of b, the bytes that come next, to dst. heard gets
// each message that was eaten, borrowed.
func (s *sieve) Pass(dst, b []byte, heard func(message []byte)) []byte {
	for len(b) > 0 && !s.over {
		switch {
		case s.in.lost:
			dst = append(append(dst, s.head...), b...)
			s.head = s.head[:0]
			return dst
		case s.want > 0:
			n := min(s.want, len(b))
			s.head = append(s.head, b[:n]...)
			s.in.Passed(int64(n))
			b = b[n:]
			if s.want -= n; s.want == 0 {
				dst = s.judge(dst, heard)
			}
		case s.in.left > 0:
			n := int(min(s.in.left, uint64(len(b))))
			s.in.Passed(int64(n))
			dst = s.payload(dst, b[:n], heard)
			b = b[n:]
		default:
			s.head = append(s.head, b[0])
			b = b[1:]
			if n := len(s.head); n >= 2 && n == headerSize(s.head[1]) {
				dst = s.header(dst, heard)
			}
		}
	}
	return dst
}

// header is for one that is whole.
func (s *sieve) header(dst []byte, heard func([]byte)) []byte {
	first := s.head[0]
	s.in.begin(s.head)
	s.skips = false
	switch op := first & 0x0f; {
	case s.in.lost:
	case op == opContinue && s.eats:
		s.skips = true
		s.head = s.head[:0]
		if s.in.left == 0 {
			s.ends(heard)
		}
		return dst
	case op == opText && first&rsvBits == 0:
		longest := uint64(max(len(s.eat), len(s.strip)))
		if s.want = int(min(longest, s.in.left)); s.want > 0 {
			return dst
		}
	}
	return s.lets(dst)
}

// lets has the head pass as it is.
func (s *sieve) lets(dst []byte) []byte {
	dst = append(dst, s.head...)
	s.head = s.head[:0]
	return dst
}

// judge is for a text message of which enough is here to tell.
func (s *sieve) judge(dst []byte, heard func([]byte)) []byte {
	n := headerSize(s.head[1])
	text := s.head[n:]
	switch {
	case len(s.eat) > 0 && bytes.HasPrefix(text, s.eat):
		s.eats, s.skips = true, true
		s.text = append(s.text[:0], text[len(s.eat):]...)
		s.head = s.head[:0]
		if s.in.left == 0 {
			s.ends(heard)
		}
		return dst
	case len(s.strip) > 0 && bytes.HasPrefix(text, s.strip):
		left := s.in.left + uint64(len(text)-len(s.strip))
		dst = appendHeader(dst, s.head[0], left)
		dst = append(dst, text[len(s.strip):]...)
		s.head = s.head[:0]
		return dst
	}
	return s.lets(dst)
}

// payload is for some of the payload under way.
func (s *sieve) payload(dst, b []byte, heard func([]byte)) []byte {
	if !s.skips {
		return append(dst, b...)
	}
	if s.long = s.long || len(s.text)+len(b) > maxEaten; !s.long {
		s.text = append(s.text, b...)
	}
	if s.in.left == 0 {
		s.ends(heard)
	}
	return dst
}

// ends is for the end of a frame that was eaten.
func (s *sieve) ends(heard func([]byte)) {
	if s.in.message {
		return // another one follows
	}
	if !s.long {
		heard(s.text)
	}
	s.eats, s.skips, s.long, s.text = false, false, false, nil
}

// appendHeader appends the header of a frame that is not masked.
func appendHeader(dst []byte, first byte, n uint64) []byte {
	switch {
	case n <= 125:
		return append(dst, first, byte(n))
	case n < 1<<16:
		return append(dst, first, 126, byte(n>>8), byte(n))
	}
	dst = append(dst, first, 127)
	for shift := 56; shift >= 0; shift -= 8 {
		dst = append(dst, byte(n>>shift))
	}
	return dst
}
