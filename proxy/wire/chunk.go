package wire

import (
	"bytes"
	"io"
)

// Chunked bodies (RFC 9112 §7.1), read to the letter: CRLF ends every line,
// no white space behind a size, and a lone LF anywhere is an error, because
// what one recipient skips another takes for the next request.

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkData
	chunkEnd // the CRLF behind the data
	chunkTrailer
)

// Bounds on framing that carries no data, which could keep us busy for
// nothing: per size line, for all trailers, and in all beside the data.
const (
	maxChunkLine = 256 + 18 // an extension of 256, 16 digits, CRLF
	maxTrailer   = 16 << 10
	overheadFree = 64 << 10 // then at most overheadRate bytes a data byte
	overheadRate = 16
)

// chunk is Take for Chunked.
func (b *Body) chunk() ([]byte, error) {
	for {
		p := b.c.Buffered()
		if len(p) == 0 {
			return nil, ErrMore
		}
		var err error
		switch b.state {
		case chunkData:
			d, err := b.take(p[:min(int64(len(p)), b.left)])
			if b.left == 0 {
				b.state = chunkEnd
			}
			return d, err
		case chunkSize:
			err = b.size(p)
		case chunkEnd:
			err = b.end(p)
		case chunkTrailer:
			err = b.trailer(p)
		}
		if err != nil {
			return nil, err
		}
	}
}

// size reads "1*HEXDIG [extension] CRLF".
func (b *Body) size(p []byte) error {
	i := scan(p, 0, isHex)
	if i > 16 || i == 16 && p[0] > '7' { // beyond an int64
		return badChunk
	}
	if i == len(p) {
		return ErrMore
	}
	if i == 0 || p[i] != '\r' && p[i] != ';' {
		return badChunk
	}
	end := i
	if p[i] == ';' {
		if end = scanText(p, i); end > maxChunkLine {
			return badChunk
		}
		if end == len(p) {
			return ErrMore
		}
	}
	next, err := lineEnd(p, end)
	if err == badNewline {
		return badChunk
	}
	if err != nil {
		return err
	}
	if b.overhead += int64(next); b.overhead > overheadFree+overheadRate*b.Taken {
		return badOverhead
	}
	b.left = hex(p[:i])
	b.c.Skip(next)
	if b.state = chunkData; b.left == 0 {
		b.state = chunkTrailer
	}
	return nil
}

func hex(p []byte) (n int64) {
	for _, c := range p {
		d := c - '0'
		if c > '9' {
			d = c | 0x20 - 'a' + 10
		}
		n = n<<4 | int64(d)
	}
	return n
}

// end reads the CRLF behind a chunk's data.
func (b *Body) end(p []byte) error {
	if p[0] != '\r' || len(p) > 1 && p[1] != '\n' {
		return badChunk
	}
	if len(p) == 1 {
		return ErrMore
	}
	b.c.Skip(2)
	b.state = chunkSize
	return nil
}

// trailer reads one trailer line, or the empty line that ends the body. Lines
// are kept but for those that would change framing, routing or identity if a
// recipient merged them into the head (RFC 9110 §6.5.1).
func (b *Body) trailer(p []byte) error {
	nl := bytes.IndexByte(p, '\n')
	if nl < 0 {
		if len(p)+len(b.Trailer) > maxTrailer {
			return badTrailer
		}
		return ErrMore
	}
	line := p[:nl+1]
	if nl == 0 || line[nl-1] != '\r' {
		return badTrailer
	}
	b.c.Skip(len(line))
	if nl == 1 {
		b.ended = true
		return io.EOF
	}
	if b.overhead += int64(len(line)); len(b.Trailer)+len(line) > maxTrailer || b.overhead > overheadFree+overheadRate*b.Taken {
		return badTrailer
	}
	colon := scan(line, 0, isToken)
	if colon == 0 || line[colon] != ':' || scanText(line, colon) != nl-1 {
		return badTrailer
	}
	if trailerMayPass(line[:colon]) {
		b.Trailer = append(b.Trailer, line...)
	}
	return nil
}

func trailerMayPass(name []byte) bool {
	switch k := kindOf(name); {
	case k.Hop(), k.Asserted():
		return false
	case k == Other, k == Date, k == Via:
		return true
	}
	return false
}

// AppendChunk appends p, which is not empty, as one chunk.
func AppendChunk(dst, p []byte) []byte {
	dst = appendHex(dst, uint64(len(p)))
	dst = append(dst, '\r', '\n')
	dst = append(dst, p...)
	return append(dst, '\r', '\n')
}

// AppendChunkEnd appends the last chunk and the trailer lines.
func AppendChunkEnd(dst, trailer []byte) []byte {
	dst = append(dst, '0', '\r', '\n')
	dst = append(dst, trailer...)
	return append(dst, '\r', '\n')
}

func appendHex(dst []byte, n uint64) []byte {
	const digits = "0123456789abcdef"
	shift := 0
	for n>>shift > 15 {
		shift += 4
	}
	for ; shift >= 0; shift -= 4 {
		dst = append(dst, digits[n>>shift&15])
	}
	return dst
}
