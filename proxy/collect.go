package proxy

import (
	"io"

	"multiserver/proxy/wire"
)

// smallBody is read whole before an upstream is asked: it can then be sent
// again, and a slow client does not hold an upstream.
const smallBody = 64 << 10

// collect reads a small body whole, and takes of a streamed one what is here:
// if that is all, it can be sent again as well. Others flow.
func (p *Proxy) collect(x *Exchange) bool {
	var err error
	switch q := &x.Req; {
	case q.Continue, x.held.room != nil:
	case q.Chunked:
		err = x.takeChunks()
	case q.Length > 0 && q.Length <= smallBody:
		err = x.takeSized(int(q.Length))
	}
	return err == nil || p.clientFault(x, err)
}

func (x *Exchange) takeSized(n int) error {
	c := x.Client
	if len(c.Buffered()) < n {
		c.Reserve(n)
	}
	for len(c.Buffered()) < n {
		c.ReadWithin(x.route.Idle)
		if err := x.inBody.Fill(); err != nil {
			return err
		}
	}
	x.body = c.Buffered()[:n]
	c.Skip(n)
	x.inBody.Passed(int64(n))
	return nil
}

// takeChunks waits for nothing: behind what is here, the next word may be the
// upstream's. A unary call of gRPC is a streamed body that mostly is here, and
// may so be tried again elsewhere.
func (x *Exchange) takeChunks() error {
	for len(x.early) <= smallBody {
		piece, err := x.inBody.Take()
		if err == wire.ErrMore {
			if !x.Client.whole() {
				return nil
			}
			err = x.inBody.Fill()
		}
		if err == io.EOF {
			x.chunks = wire.AppendChunkEnd(x.appendEarly(x.chunks[:0]), x.inBody.Trailer)
			x.body = x.chunks
			return nil
		}
		if err != nil {
			return err
		}
		x.early = append(x.early, piece...)
	}
	return nil
}

// appendEarly appends what takeChunks took, as one chunk.
func (x *Exchange) appendEarly(dst []byte) []byte {
	if len(x.early) == 0 {
		return dst // a chunk of no bytes would be the last
	}
	return wire.AppendChunk(dst, x.early)
}

// whole tells whether a read finds the request's end without waiting, which a
// stream of a connection may know.
func (c *Client) whole() bool {
	s, ok := c.NetConn().(interface{ Whole() bool })
	return ok && s.Whole()
}
