package proxy

// ears pick the control frames out of what a client says.
type ears struct {
	open bool
	in   frames
	head []byte // of the frame to come, as far as it is here
	op   byte   // of the one under way
	key  [4]byte
	text []byte // of a control frame
}

// hear takes the bytes that come next; heard gets each control frame's payload,
// borrowed.
func (e *ears) hear(b []byte, heard func(op byte, payload []byte)) {
	if e.in.have > 0 { // of a header that the upstream has got half
		e.head = append(e.head, e.in.head[:e.in.have]...)
		e.in.have = 0
	}
	for len(b) > 0 && !e.in.lost {
		if e.in.left > 0 {
			n := int(min(e.in.left, uint64(len(b))))
			if e.op >= opClose {
				e.text = append(e.text, b[:n]...)
			}
			e.in.Passed(int64(n))
			b = b[n:]
		} else {
			e.head = append(e.head, b[0])
			b = b[1:]
			if n := len(e.head); n < 2 || n < headerSize(e.head[1]) {
				continue
			}
			e.begins()
		}
		if e.in.left == 0 && !e.in.lost && e.op >= opClose {
			e.ends(heard)
		}
	}
}

// over tells that nothing is to come that means anything.
func (e *ears) over() bool { return e.in.lost || e.in.closed && e.in.left == 0 }

func (e *ears) begins() {
	if e.in.begin(e.head); e.in.lost {
		return
	}
	e.op = e.head[0] & 0x0f
	copy(e.key[:], e.head[len(e.head)-4:])
	e.head, e.text = e.head[:0], e.text[:0]
}

func (e *ears) ends(heard func(op byte, payload []byte)) {
	for i := range e.text {
		e.text[i] ^= e.key[i%4]
	}
	heard(e.op, e.text)
	e.op, e.text = 0, nil
}
