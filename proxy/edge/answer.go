package edge

import (
	"bytes"
	"errors"

	"multiserver/proxy/wire"
)

// answer takes what the core writes and passes it on as it comes. The core is
// strict with upstreams, and here its own bytes are read strictly once more: a
// byte that is not as expected ends the stream by a reset.
type answer struct {
	to     sink
	head   bool // it answers a HEAD
	tunnel bool // a 101 begins one
	state  state
	left   int64 // of the body, or of the chunk

	res  wire.Response
	part []byte // a head or line whose end has not come
}

// sink is where an answer goes. What it is given is borrowed until it returns.
type sink interface {
	head(r *wire.Response, f wire.Framing, end bool) error // end: nothing follows
	send(p []byte, end bool) error
	trailer(name, value []byte)
	last() error      // behind the trailers of a body that did not end with send
	flush(ended bool) // what was given is to leave
}

type state uint8

const (
	inHead state = iota
	inBody
	inSize // the line before a chunk's data
	inChunk
	behindChunk
	inTrailer
	inTunnel
	ended
)

var (
	errFraming = errors.New("edge: the core's answer is not framed as it should be")
	errLong    = errors.New("edge: a head or line of the core's has no end")
)

// mostPart is beyond --max-head's bounds.
const mostPart = 2 << 20

func (a *answer) begin(to sink, head, tunnel bool) {
	*a = answer{to: to, head: head, tunnel: tunnel, res: a.res, part: a.part[:0]}
}

// end lets go of the stream's.
func (a *answer) end() {
	a.to = nil
	if cap(a.part) > wire.SmallBuffer {
		a.part = nil
	}
}

// write takes p whole or fails. What the core writes at once also leaves at
// once.
func (a *answer) write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		var err error
		if rest, err = a.step(rest); err != nil {
			return len(p) - len(rest), err
		}
	}
	a.to.flush(a.state == ended)
	return len(p), nil
}

// step takes what it can from the front of p.
func (a *answer) step(p []byte) (rest []byte, err error) {
	switch a.state {
	case inHead:
		return a.takeHead(p)
	case inBody, inChunk:
		return a.takeData(p)
	case inSize:
		return a.takeLine(p, a.size)
	case behindChunk:
		return a.takeLine(p, a.chunkEnd)
	case inTrailer:
		return a.takeLine(p, a.trailer)
	case inTunnel:
		return nil, a.to.send(p, false)
	}
	return p, errFraming
}

// takeHead: the core writes a head in one piece; one that it does not is
// gathered.
func (a *answer) takeHead(p []byte) (rest []byte, err error) {
	held := len(a.part)
	b := p
	if held > 0 {
		a.part = append(a.part, p...)
		b = a.part
	}
	n, err := a.res.Parse(b)
	if err == wire.ErrMore {
		if held == 0 {
			a.part = append(a.part, p...)
		}
		return nil, a.bounded()
	}
	if err != nil {
		return p, err
	}
	err = a.takeAnswer()
	a.part = a.part[:0]
	return p[n-held:], err
}

func (a *answer) bounded() error {
	if len(a.part) > mostPart {
		return errLong
	}
	return nil
}

// takeAnswer passes a head on.
func (a *answer) takeAnswer() error {
	r := &a.res
	if r.Status < 200 {
		if a.tunnel && r.Status == 101 {
			a.state = inTunnel
		}
		return a.to.head(r, wire.None, false)
	}
	f := r.Framing(a.head)
	switch f {
	case wire.None:
		a.state = ended
	case wire.Sized:
		a.state, a.left = inBody, r.Length
	case wire.Chunked:
		a.state = inSize
	default: // the core tells HTTP/1.1 clients every body's end
		return errFraming
	}
	return a.to.head(r, f, a.state == ended)
}

// takeData passes body bytes on.
func (a *answer) takeData(p []byte) (rest []byte, err error) {
	n := int(min(int64(len(p)), a.left))
	end := a.state == inBody && int64(n) == a.left
	if err := a.to.send(p[:n], end); err != nil {
		return p, err
	}
	switch a.left -= int64(n); {
	case a.left > 0:
	case a.state == inChunk:
		a.state = behindChunk
	default:
		a.state = ended
	}
	return p[n:], nil
}

// takeLine gives a whole line without its CRLF to f.
func (a *answer) takeLine(p []byte, f func([]byte) error) (rest []byte, err error) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		a.part = append(a.part, p...)
		return nil, a.bounded()
	}
	line := p[:i+1]
	if len(a.part) > 0 {
		a.part = append(a.part, line...)
		line = a.part
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return p, errFraming
	}
	err = f(line[:len(line)-2])
	a.part = a.part[:0]
	return p[i+1:], err
}

// size takes a chunk's, which the core writes without extensions.
func (a *answer) size(line []byte) error {
	if len(line) == 0 || len(line) > 15 {
		return errFraming
	}
	a.left = 0
	for _, c := range line {
		d := bytes.IndexByte(digits, c)
		if d < 0 {
			return errFraming
		}
		a.left = a.left<<4 | int64(d)
	}
	if a.state = inChunk; a.left == 0 {
		a.state = inTrailer
	}
	return nil
}

var digits = []byte("0123456789abcdef")

func (a *answer) chunkEnd(line []byte) error {
	if len(line) > 0 {
		return errFraming
	}
	a.state = inSize
	return nil
}

func (a *answer) trailer(line []byte) error {
	if len(line) == 0 {
		a.state = ended
		return a.to.last()
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return errFraming
	}
	a.to.trailer(name, bytes.Trim(value, " \t"))
	return nil
}
