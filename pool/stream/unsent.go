package stream

import (
	"errors"

	"golang.org/x/net/http2"
)

// Unsent tells whether err is a failure behind which the upstream has acted on
// nothing of the request (RFC 9113 §8.7).
func Unsent(err error) bool {
	var u *unsentError
	return errors.As(err, &u)
}

// Cancelled tells whether err is that the upstream has taken the request for
// cancelled, as servers of gRPC do at its deadline.
func Cancelled(err error) bool {
	var reset http2.StreamError
	return errors.As(err, &reset) && reset.Code == http2.ErrCodeCancel
}

type unsentError struct{ err error }

func (e *unsentError) Error() string { return "not taken by the upstream: " + e.err.Error() }

// Unwrap gives the cause.
func (e *unsentError) Unwrap() error { return e.err }

// x/net keeps these errors to itself. A test has a server cause each.
var untaken = map[string]bool{
	"http2: Transport received Server's graceful shutdown GOAWAY": true, // the stream is beyond its last one
	"http2: client conn not usable":                               true, // full or ending, before a byte was sent
	"http2: client conn could not be established":                 true,
}

// judge marks err if it is such a failure.
func judge(err error) error {
	var reset http2.StreamError
	if untaken[err.Error()] || errors.As(err, &reset) && reset.Code == http2.ErrCodeRefusedStream {
		return &unsentError{err}
	}
	return err
}
