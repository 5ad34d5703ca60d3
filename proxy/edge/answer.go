package edge

import (
	"errors"

	"multiserver/proxy/wire"
)

// answer takes what the core writes and passes it on as it comes.
type answer struct {
	wire.Intake
	to     sink
	head   bool // it answers a HEAD
	tunnel bool // a 101 begins one
	res    wire.Response
}

// sink is where an answer goes. What it is given is borrowed until it returns.
type sink interface {
	head(r *wire.Response, f wire.Framing, end bool) error // end: nothing follows
	send(p []byte, end bool) error
	trailer(name, value []byte)
	last() error      // behind the trailers of a body that did not end with send
	flush(ended bool) // what was given is to leave
}

var errEnd = errors.New("edge: an answer of the core's does not say where it ends")

func (a *answer) begin(to sink, head, tunnel bool) {
	a.to, a.head, a.tunnel = to, head, tunnel
	a.Begin((*parts)(a))
}

// end lets go of the stream's.
func (a *answer) end() {
	a.to = nil
	a.Drop()
}

// write takes p whole or fails. What the core writes at once also leaves at
// once.
func (a *answer) write(p []byte) (int, error) {
	n, err := a.Write(p)
	if err == nil {
		a.to.flush(a.Ended())
	}
	return n, err
}

// parts is an answer, as what its bytes are taken apart to.
type parts answer

// Head passes a head on.
func (a *parts) Head(p []byte) (int, wire.Next, error) {
	r := &a.res
	n, err := r.Parse(p)
	if err != nil {
		return 0, wire.Next{}, err
	}
	next := wire.Next{Length: r.Length}
	switch {
	case a.tunnel && r.Status == 101:
		next.Framing = wire.ToClose
		return n, next, a.to.head(r, wire.None, false)
	case r.Status < 200:
		next.Interim = true
		return n, next, a.to.head(r, wire.None, false)
	}
	if next.Framing = r.Framing(a.head); next.Framing == wire.ToClose {
		return n, next, errEnd // the core tells HTTP/1.1 clients every body's end
	}
	return n, next, a.to.head(r, next.Framing, next.Framing == wire.None)
}

func (a *parts) Data(p []byte, end bool) error { return a.to.send(p, end) }
func (a *parts) Trailer(name, value []byte)    { a.to.trailer(name, value) }
func (a *parts) End() error                    { return a.to.last() }
