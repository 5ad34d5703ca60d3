package part

import "encoding/hex"

// Parts is the plan of a body of type multipart/byteranges (RFC 9110 §14.6):
// Size bytes, which are for each of the Spans what AppendHead gives and the
// bytes of the span, and in the end what AppendTail gives. The answer's own
// Content-Type is AppendType's, and it has no Content-Range.
type Parts struct {
	Spans  []Span
	Length int64  // of the whole representation
	Type   []byte // its Content-Type; nil: it has none

	// Random bytes, new ones for each answer, make the boundary: the body
	// cannot be looked through for it, and must not be able to hold it either,
	// though its author may have seen other answers.
	Random [16]byte
}

// AppendType appends the value of the answer's Content-Type.
func (p *Parts) AppendType(dst []byte) []byte {
	return hex.AppendEncode(append(dst, "multipart/byteranges; boundary="...), p.Random[:])
}

// AppendHead appends what stands before the span with index i.
func (p *Parts) AppendHead(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, "\r\n"...)
	}
	dst = hex.AppendEncode(append(dst, "--"...), p.Random[:])
	if p.Type != nil {
		dst = append(append(dst, "\r\nContent-Type: "...), p.Type...)
	}
	dst = AppendContentRange(append(dst, "\r\nContent-Range: "...), p.Spans[i], p.Length)
	return append(dst, "\r\n\r\n"...)
}

// AppendTail appends what stands behind the last span.
func (p *Parts) AppendTail(dst []byte) []byte {
	dst = hex.AppendEncode(append(dst, "\r\n--"...), p.Random[:])
	return append(dst, "--\r\n"...)
}

// Size is the answer's Content-Length.
func (p *Parts) Size() (n int64) {
	var buf [512]byte
	for i, s := range p.Spans {
		n += int64(len(p.AppendHead(buf[:0], i))) + s.Len()
	}
	return n + int64(len(p.AppendTail(buf[:0])))
}
