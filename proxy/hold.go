package proxy

import (
	"io"
	"strconv"
	"sync/atomic"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// Room is memory that many exchanges share.
type Room struct{ left atomic.Int64 }

// NewRoom has so many bytes.
func NewRoom(bytes int64) *Room {
	r := &Room{}
	r.left.Store(bytes)
	return r
}

// Left is how many bytes are not taken.
func (r *Room) Left() int64 { return r.left.Load() }

func (r *Room) take(n int) bool {
	if r.left.Add(int64(-n)) >= 0 {
		return true
	}
	r.left.Add(int64(n))
	return false
}

// held is a request's body, or its beginning, that was read before an upstream
// is asked.
type held struct {
	bytes []byte
	room  *Room // that they are of; nil: there are none
}

// let gives them back.
func (h *held) let() {
	if h.room != nil {
		h.room.left.Add(int64(cap(h.bytes)))
		*h = held{}
	}
}

// Hold reads the request's body before anybody is asked, up to so many bytes
// and as far as there is room: a client that sends slowly then holds nothing
// but memory. What is beyond flows as always. A body that has ended is sent
// with its length, and without trailers. false: it did not come as announced,
// and the client has its answer.
func (x *Exchange) Hold(most int64, room *Room) bool {
	q := &x.Req
	if x.inBody.Ended() || q.Length > most || q.Upgrade || isGRPC(q.Peek("content-type")) || q.Has(wire.Trailer) {
		return true
	}
	if q.Continue && !x.goOn() {
		return false
	}
	x.held.room = room
	for {
		piece, err := x.inBody.Take()
		switch {
		case err == nil:
			if !x.held.append(piece) {
				return true
			}
			if int64(len(x.held.bytes)) > most {
				return true
			}
			continue
		case err == io.EOF:
			x.heldWhole()
			return true
		case err == wire.ErrMore:
			x.Client.ReadWithin(x.route.Idle)
			err = x.inBody.Fill()
		}
		if err != nil {
			return x.Client.p.clientFault(x, err)
		}
	}
}

// goOn tells a client that waits for it to send its body (RFC 9110 §10.1.1).
func (x *Exchange) goOn() bool {
	x.Client.WriteWithin(x.route.Idle)
	if x.Client.Write(continues, nil) != nil {
		x.broken, x.status = true, 499
		return false
	}
	x.goAhead, x.Req.Continue = true, false
	return true
}

var continues = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// append tells whether there is room for more. The piece is held in any case,
// for it has been taken: what lacks is then owed by the room.
func (h *held) append(piece []byte) bool {
	more := len(h.bytes) + len(piece) - cap(h.bytes)
	if more <= 0 {
		h.bytes = append(h.bytes, piece...)
		return true
	}
	size := max(2*cap(h.bytes), len(h.bytes)+len(piece))
	ok := h.room.take(size - cap(h.bytes))
	if !ok {
		size = len(h.bytes) + len(piece)
		h.room.left.Add(int64(cap(h.bytes) - size))
	}
	grown := make([]byte, len(h.bytes), size)
	copy(grown, h.bytes)
	h.bytes = append(grown, piece...)
	return ok
}

// heldWhole has the request be one whose body is all there: of a known length,
// and, if it is small, in one piece that can be sent again.
func (x *Exchange) heldWhole() {
	q := &x.Req
	if q.Chunked {
		var digits [20]byte
		x.ask.Add("Content-Length", strconv.AppendInt(digits[:0], int64(len(x.held.bytes)), 10))
		q.Chunked = false
	}
	q.Length = int64(len(x.held.bytes))
	if len(x.held.bytes) <= smallBody {
		x.body = x.held.bytes
	}
}

// flowsOn tells whether some of the body goes to an upstream piece by piece.
func (x *Exchange) flowsOn() bool {
	return !x.inBody.Ended() || len(x.held.bytes) > 0 && x.body == nil
}

// sendHeld sends what is held behind out, and returns what is to come before
// the rest.
func (x *Exchange) sendHeld(l *pool.Link, out []byte) ([]byte, error) {
	b := x.held.bytes
	if len(b) == 0 {
		return out, nil // fast path
	}
	if x.Req.Chunked {
		out = append(strconv.AppendInt(out, int64(len(b)), 16), crlf...)
	}
	err := put(l.Conn, out, b, x.idle(l))
	if out = out[:0]; x.Req.Chunked {
		out = append(out, crlf...)
	}
	return out, err
}
