package proxy

import (
	"sync/atomic"
	"time"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// upload is a request body that flows to the upstream while its answer is
// already waited for: the answer may come first, and so may 100 Continue.
type upload struct {
	began bool          // pieces may have been sent
	done  chan struct{} // closed when the goroutine has ended
	err   error         // the client's failure; read after done
	whole atomic.Int64  // the Guard's time at which all was sent; 0: not yet
}

// stream sends head and body piece by piece and reads the answer's head.
func (p *Proxy) stream(x *Exchange, u *pool.Upstream) *pool.Fault {
	l, f := u.Open(x.Client.Conn)
	if f != nil {
		return f
	}
	x.link = l
	x.upload.began, x.upload.err, x.upload.done = true, nil, make(chan struct{})
	x.upload.whole.Store(0)
	go p.send(x, l, x.appendEarly(x.AppendHead(nil, u)))
	return p.answered(x)
}

// send is the goroutine. A failure of the client's is kept and wakes the
// exchange; one of the upstream's is left for the exchange to find, for there
// may be an answer before it.
func (p *Proxy) send(x *Exchange, l *pool.Link, out []byte) {
	defer close(x.upload.done)
	out, err := x.sendHeld(l, out)
	if err == wire.ErrTime {
		l.Interrupt()
	}
	if err != nil {
		return
	}
	sized := !x.Req.Chunked
	f := flow{Body: &x.inBody, src: x.Client.Conn, dst: l.Conn, chunked: !sized, splice: sized, idle: x.idle(l)}
	fromClient, err := p.flow(&f, &out)
	switch {
	case err == nil:
		x.upload.whole.Store(p.opt.Guard.Now() + 1)
	case fromClient && err != wire.ErrBroken:
		x.upload.err = err
		l.Interrupt()
	case err == wire.ErrTime: // the upstream neither reads nor answers
		l.Interrupt()
	}
}

// answered reads the next answer head. While the body still flows, the
// upstream need not hurry.
func (p *Proxy) answered(x *Exchange) *pool.Fault {
	l := x.link
	f := l.Answer(&x.Res, x.route.Response)
	for f != nil && f.Reason == pool.AnswerTime && x.upload.began {
		wait := x.route.Response
		if whole := x.upload.whole.Load(); whole != 0 {
			wait -= time.Duration(p.opt.Guard.Now()-whole) * time.Millisecond
			if wait <= 0 {
				break
			}
		} else if x.uploadEnded() {
			break
		}
		l.ResumeRead()
		f = l.Answer(&x.Res, wait)
	}
	return f
}

func (x *Exchange) uploadEnded() bool {
	select {
	case <-x.upload.done:
		return true
	default:
		return false
	}
}

// takingNote is how long our own goroutine may take to note that it has sent
// all, after which the upstream may have answered already.
const takingNote = 5 * time.Millisecond

// uploaded waits up to within for the goroutine to end, and tells whether the
// whole body was sent.
func (x *Exchange) uploaded(within time.Duration) bool {
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-x.upload.done:
	case <-t.C:
	}
	return x.upload.whole.Load() != 0
}

// uploadGrace is how long an upload may go on behind a whole answer. A server
// that reads all it is sent needs a moment, one that does not never will.
const uploadGrace = 100 * time.Millisecond

// grace is uploadGrace where the connection is worth it. A stream that is given
// up costs no other, and a call of gRPC may end by the server's word alone,
// which must not wait.
func grace(l *pool.Link) time.Duration {
	if l.Stream() {
		return takingNote
	}
	return uploadGrace
}

// endUpload waits for the goroutine, after having stopped it if there is no
// point in it any more, and tells whether the whole body was sent.
func (x *Exchange) endUpload(f *pool.Fault) (whole bool) {
	u := &x.upload
	if !u.began {
		return true
	}
	if f == nil && !x.idleExpectation() {
		x.uploaded(grace(x.link))
	}
	if !x.uploadEnded() {
		x.link.Interrupt()
		x.Client.InterruptRead()
	}
	<-u.done
	if whole = u.whole.Load() != 0; !whole {
		x.close, x.unread = true, true
	} else {
		x.Client.ResumeRead() // if it ended just when it was to be stopped
	}
	u.began = f != nil // it cannot be sent again
	return whole
}

// idleExpectation tells whether the client still waits for a 100 that will
// not come.
func (x *Exchange) idleExpectation() bool {
	return x.Req.Continue && !x.goAhead
}
