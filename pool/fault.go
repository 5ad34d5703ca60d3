package pool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"multiserver/pool/pipe"
	"multiserver/pool/stream"
	"multiserver/proxy/wire"
)

// Side is whose failure a Fault is.
type Side uint8

// The sides.
const (
	Peer   Side = iota // the upstream's
	Client             // the client's
	Self               // ours
)

// Reason is why an exchange failed; it is the label of the metric.
type Reason uint8

// The reasons.
const (
	Refused     Reason = iota // takes no connections; from here on, no connection is had, see down
	Unreachable               // no route, no name
	ConnectTime               // no connection in time
	Untrusted                 // its certificate is vouched for by nobody we believe
	WrongName                 // its certificate is for other names
	Expired                   // its certificate is not valid any more, or not yet
	NoHandshake               // TLS could not be agreed on for another reason, or HTTP/2
	Stale                     // a kept connection had died; another was taken
	Blocked                   // on a shared connection the answer before did not come; it was asked again on another
	Broken                    // closed or reset before the answer's head was complete
	BadAnswer                 // what came is no HTTP answer
	AnswerTime                // no answer in time
	Hung                      // no answer yet, and put out meanwhile for giving none
	CutShort                  // broke within the answer's body
	BodyTime                  // no more of the body in time
	BadBody                   // the body's framing is wrong
	Surplus                   // bytes behind the answer's end
	BadStatus                 // answered 500, 502, 503 or 504
	Exhausted                 // we have no descriptors or ports left
	NoUpstream                // there was none, or none left to try
	QueueFull                 // too many were waiting for a slot
	QueueLate                 // no slot became free in time
	Left                      // the client left
	BadRequest                // the client's body broke, ended early or was refused
	Reasons                   // how many there are
)

var reasonNames = [Reasons]string{
	"refused", "unreachable", "connect-timeout", "tls-untrusted", "tls-name", "tls-expired", "tls-handshake", "stale", "head-of-line", "broken", "bad-answer", "answer-timeout", "hung",
	"cut-short", "body-timeout", "bad-body", "surplus", "bad-status", "exhausted", "no-upstream", "queue-full", "queue-timeout",
	"client-left", "bad-request",
}

func (r Reason) String() string { return reasonNames[r] }

// Fault is a failed try.
type Fault struct {
	Side   Side
	Sent   bool // bytes of the request may have left
	Reason Reason
	Err    error
}

func (f *Fault) Error() string { return fmt.Sprintf("%s: %v", f.Reason, f.Err) }

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Status is what the client is answered: 502 for a bad answer or a broken
// connection, 503 if the upstream takes nobody, 504 if it is too late.
func (f *Fault) Status() int {
	switch f.Reason {
	case Refused, Unreachable, Exhausted, NoUpstream, QueueFull, QueueLate:
		return 503
	case ConnectTime, AnswerTime, Hung, BodyTime:
		return 504
	}
	return 502
}

func dialFault(err error) *Fault {
	f := &Fault{Reason: Unreachable, Err: err}
	var ne net.Error
	var shaken *handshakeError
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.EADDRNOTAVAIL):
		f.Side, f.Reason = Self, Exhausted
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		f.Reason = Refused
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		f.Reason = ConnectTime
	case errors.As(err, &shaken):
		f.Reason = shaken.reason()
	case stream.NoHTTP2(err):
		f.Reason = NoHandshake
	}
	return f
}

// down tells whether a failure is of making a connection at all.
func (r Reason) down() bool { return r <= NoHandshake }

var (
	errStatus = errors.New("an answer that says the upstream is not well")
	errNone   = errors.New("no upstream to try, or none left")
)

// StatusFault is the fault of an upstream whose answer says that it is not
// well.
func StatusFault() *Fault { return &Fault{Reason: BadStatus, Sent: true, Err: errStatus} }

// noneLeft is the fault of a pick that found nobody.
func noneLeft(u *Upstream) *Fault {
	if u != nil {
		return nil
	}
	return &Fault{Side: Self, Reason: NoUpstream, Err: errNone}
}

// QueueFault is for a wait in a Queue that did not end well.
func QueueFault(err error) *Fault {
	f := &Fault{Side: Self, Reason: QueueFull, Err: err}
	switch err {
	case ErrLate:
		f.Reason = QueueLate
	case wire.ErrGone:
		f.Side, f.Reason = Client, Left
	}
	return f
}

// answerFault is for a failure before the answer's head was there.
func answerFault(sent bool, err error) *Fault {
	f := &Fault{Sent: sent && !stream.Unsent(err), Reason: Broken, Err: err}
	var bad *wire.Bad
	switch {
	case errors.As(err, &bad):
		f.Reason = BadAnswer
	case err == wire.ErrTime:
		f.Reason = AnswerTime
	case err == wire.ErrCalledOff:
		f.Reason = Hung
	case err == pipe.ErrBlocked:
		f.Reason = Blocked
	case err == wire.ErrGone, err == wire.ErrBroken:
		f.Side, f.Reason = Client, Left
	case err == io.EOF:
		f.Err = errors.New("closed without an answer")
	case stream.Cancelled(err): // a deadline that came with the request: it says nothing against the upstream
		f.Side = Self
	}
	return f
}

// BodyFault is for a failure within the answer's body.
func BodyFault(err error) *Fault {
	f := answerFault(true, err)
	switch f.Reason {
	case Broken:
		f.Reason = CutShort
	case AnswerTime:
		f.Reason = BodyTime
	case BadAnswer:
		f.Reason = BadBody
	}
	return f
}
