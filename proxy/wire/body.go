package wire

import "io"

// Body reads one message's body from its connection, strictly: data comes out
// only as far as the framing is right, and the end only when it was there.
type Body struct {
	c       *Conn
	framing Framing
	left    int64 // Sized: of the body; Chunked: of this chunk
	limit   int64 // data bytes allowed; 0: any number
	state   chunkState
	ended   bool

	Taken   int64  // data bytes so far
	Trailer []byte // Chunked, after the end: the trailer lines as they came, each with its CRLF; valid until the next Begin

	overhead int64 // framing bytes so far
}

// Begin starts on a body at the front of c's buffer. limit is the most data
// it may have, 0 for no limit; a longer one is an error with status 413.
func (b *Body) Begin(c *Conn, f Framing, length, limit int64) {
	*b = Body{c: c, framing: f, limit: limit, Trailer: b.Trailer[:0]}
	if f == Sized {
		b.left = length
	}
	b.ended = f == None
}

// Limit is a limit in place of Begin's, for before anything was taken.
func (b *Body) Limit(n int64) { b.limit = n }

// Ended tells whether the whole body has been taken, its end included.
func (b *Body) Ended() bool { return b.ended }

// Framing is what Begin was given.
func (b *Body) Framing() Framing { return b.framing }

// Left is how many bytes of a Sized body have not been taken.
func (b *Body) Left() int64 { return b.left }

// Take returns the next data, borrowed from the connection's buffer until the
// next Fill. It never waits: ErrMore asks for a Fill first, which is a good
// moment to pass on what was taken so far. io.EOF is the body's proper end.
func (b *Body) Take() ([]byte, error) {
	if b.ended {
		return nil, io.EOF
	}
	if b.framing == Chunked {
		return b.chunk()
	}
	p := b.c.Buffered()
	if len(p) == 0 {
		return nil, ErrMore
	}
	if b.framing == Sized {
		p = p[:min(int64(len(p)), b.left)]
	}
	return b.take(p)
}

func (b *Body) take(p []byte) ([]byte, error) {
	b.c.Skip(len(p))
	b.Taken += int64(len(p))
	if b.limit > 0 && b.Taken > b.limit {
		return nil, longBody
	}
	if b.framing != ToClose {
		b.left -= int64(len(p))
	}
	b.ended = b.framing == Sized && b.left == 0
	return p, nil
}

// Fill reads more from the connection. The connection's end is the body's
// only if its framing says so; for any other it is io.ErrUnexpectedEOF.
func (b *Body) Fill() error {
	err := b.c.Fill(LargeBuffer)
	if err != io.EOF {
		return err
	}
	if b.framing == ToClose {
		b.ended = true
		return nil
	}
	return io.ErrUnexpectedEOF
}

// Passed tells that n bytes of a Sized body went by without Take, from socket
// to socket.
func (b *Body) Passed(n int64) {
	b.Taken += n
	b.left -= n
	b.ended = b.framing == Sized && b.left == 0
}
