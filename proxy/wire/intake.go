package wire

import (
	"bytes"
	"errors"
)

// Intake reads a message of the core's own, for who speaks another protocol in
// its place: HTTP/2 to a client, or to an upstream. Bytes come as the core
// writes them, in any pieces, and the message's parts go on as they come. The
// core is strict with others, and its bytes are read strictly once more: one
// that is not as expected fails, and so ends the exchange.
type Intake struct {
	to    Parts
	state intake
	left  int64  // of the body, or of the chunk
	part  []byte // a head or line whose end has not come
}

// Parts is who is given a message. Bytes are borrowed until a method returns; an
// error ends the message, and is what Write returns.
type Parts interface {
	// Head parses the head that p begins with and says how long it is and what
	// follows: ErrMore while its end has not come.
	Head(p []byte) (n int, next Next, err error)
	Data(p []byte, end bool) error // end: nothing follows, no trailers either
	Trailer(name, value []byte)
	End() error // behind trailers, or a body that did not end with Data
}

// Next is what follows a head. ToClose is bytes that are no message any more,
// as behind a 101.
type Next struct {
	Framing
	Length  int64 // of a Sized body
	Interim bool  // another head, for this was a 1xx
}

type intake uint8

const (
	inHead intake = iota
	inBody
	inSize // the line before a chunk's data
	inChunk
	behindChunk
	inTrailer
	inRaw
	ended
)

var (
	errFraming = errors.New("a message of the core's is not framed as it should be")
	errNoEnd   = errors.New("a head or line of the core's has no end")
)

// mostPart is beyond --max-head's bounds.
const mostPart = 2 << 20

// Begin makes in ready for a message.
func (in *Intake) Begin(to Parts) { *in = Intake{to: to, part: in.part[:0]} }

// Drop lets go of what a message was given to, and of a large buffer.
func (in *Intake) Drop() {
	in.to = nil
	if cap(in.part) > SmallBuffer {
		in.part = nil
	}
}

// Ended tells whether all of the message was there.
func (in *Intake) Ended() bool { return in.state == ended }

// Raw tells whether what comes is no message any more, and has not ended.
func (in *Intake) Raw() bool { return in.state == inRaw }

// EndRaw ends that.
func (in *Intake) EndRaw() error {
	in.state = ended
	return in.to.End()
}

// Write takes p whole or fails.
func (in *Intake) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		var err error
		if rest, err = in.step(rest); err != nil {
			return len(p) - len(rest), err
		}
	}
	return len(p), nil
}

// step takes what it can from the front of p.
func (in *Intake) step(p []byte) (rest []byte, err error) {
	switch in.state {
	case inHead:
		return in.takeHead(p)
	case inBody, inChunk:
		return in.takeData(p)
	case inSize:
		return in.takeLine(p, in.size)
	case behindChunk:
		return in.takeLine(p, in.chunkEnd)
	case inTrailer:
		return in.takeLine(p, in.trailer)
	case inRaw:
		return nil, in.to.Data(p, false)
	}
	return p, errFraming
}

// takeHead: the core writes a head in one piece; one that it does not is
// gathered.
func (in *Intake) takeHead(p []byte) (rest []byte, err error) {
	held, b := len(in.part), p
	if held > 0 {
		in.part = append(in.part, p...)
		b = in.part
	}
	n, next, err := in.to.Head(b)
	if err == ErrMore {
		if held == 0 {
			in.part = append(in.part, p...)
		}
		return nil, in.bounded()
	}
	if err != nil {
		return p, err
	}
	in.follow(next)
	in.part = in.part[:0]
	return p[n-held:], nil
}

func (in *Intake) follow(next Next) {
	in.left = next.Length
	switch {
	case next.Interim: // inHead
	case next.Framing == None:
		in.state = ended
	case next.Framing == Sized:
		in.state = inBody
	case next.Framing == Chunked:
		in.state = inSize
	default:
		in.state = inRaw
	}
}

func (in *Intake) bounded() error {
	if len(in.part) > mostPart {
		return errNoEnd
	}
	return nil
}

// lastChunk behind a chunk's data: the body can end with that.
var lastChunk = []byte("\r\n0\r\n\r\n")

// takeData passes body bytes on.
func (in *Intake) takeData(p []byte) (rest []byte, err error) {
	n := int(min(int64(len(p)), in.left))
	whole := int64(n) == in.left
	end := whole && (in.state == inBody || bytes.Equal(p[n:], lastChunk))
	if err := in.to.Data(p[:n], end); err != nil {
		return p, err
	}
	in.left -= int64(n)
	switch {
	case end && in.state == inChunk:
		in.state = ended
		return nil, nil
	case end:
		in.state = ended
	case whole:
		in.state = behindChunk
	}
	return p[n:], nil
}

// takeLine gives a whole line without its CRLF to f.
func (in *Intake) takeLine(p []byte, f func([]byte) error) (rest []byte, err error) {
	i := bytes.IndexByte(p, '\n')
	if i < 0 {
		in.part = append(in.part, p...)
		return nil, in.bounded()
	}
	line := p[:i+1]
	if len(in.part) > 0 {
		in.part = append(in.part, line...)
		line = in.part
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return p, errFraming
	}
	err = f(line[:len(line)-2])
	in.part = in.part[:0]
	return p[i+1:], err
}

// size takes a chunk's, which the core writes without extensions.
func (in *Intake) size(line []byte) error {
	if len(line) == 0 || len(line) > 15 {
		return errFraming
	}
	in.left = 0
	for _, c := range line {
		d := bytes.IndexByte(digits, c)
		if d < 0 {
			return errFraming
		}
		in.left = in.left<<4 | int64(d)
	}
	if in.state = inChunk; in.left == 0 {
		in.state = inTrailer
	}
	return nil
}

var digits = []byte("0123456789abcdef")

func (in *Intake) chunkEnd(line []byte) error {
	if len(line) > 0 {
		return errFraming
	}
	in.state = inSize
	return nil
}

func (in *Intake) trailer(line []byte) error {
	if len(line) == 0 {
		in.state = ended
		return in.to.End()
	}
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return errFraming
	}
	in.to.Trailer(name, bytes.Trim(value, " \t"))
	return nil
}
