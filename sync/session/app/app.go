package app

import (
	"context"
	"errors"

	"multiserver/sync/session"
)

// What a handler may be told by Session.Err, and by what takes an error.
var (
	ErrAway    = session.ErrAway                                           // the store does not answer
	ErrOmitted = errors.New("session: the data was too large for a field") // and Behind has no Fetch
)

// App makes the middleware: HTTP or Fast. Make it with Direct or Behind.
type App struct{ source source }

// source is where sessions come from and go to.
type source interface {
	// open reads a request's session. Not session.Go: it is to be refused.
	open(in incoming) (*Session, session.Outcome)
	// close does what the handler has asked for; add adds fields to the answer.
	close(s *Session, add func(name, value string)) session.Outcome
}

// incoming is a request, of whichever server.
type incoming struct {
	ctx    context.Context
	field  func(name string) string
	each   func(name string, f func(value string))
	secure bool
}

// refusal is the status of an answer in place of the handler's.
func refusal(o session.Outcome) (status int, body string) {
	if o == session.Conflict {
		return 409, "the session was changed by someone else\n"
	}
	return 503, "sessions are not available now\n"
}

// key of the Session in a request's context, and in a fasthttp request.
type key struct{}
