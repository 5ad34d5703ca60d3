package app

import (
	"context"
	"net/http"

	"multiserver/sync/session"
)

// HTTP gives next's requests a Session.
func (a *App) HTTP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, outcome := a.source.open(incoming{
			ctx:    r.Context(),
			field:  r.Header.Get,
			secure: r.TLS != nil,
			each: func(name string, f func(string)) {
				for _, value := range r.Header.Values(name) {
					f(value)
				}
			},
		})
		if outcome != session.Go {
			status, body := refusal(outcome)
			http.Error(w, body, status)
			return
		}
		writer := &writer{ResponseWriter: w, app: a, session: s}
		s.save = func() { writer.commit() }
		next.ServeHTTP(writer, r.WithContext(context.WithValue(r.Context(), key{}, s)))
		writer.commit()
	})
}

// From is the Session of a request that came by HTTP's middleware, or nil.
func From(ctx context.Context) *Session {
	s, _ := ctx.Value(key{}).(*Session)
	return s
}

// writer keeps the session before the first byte of the answer.
type writer struct {
	http.ResponseWriter
	app     *App
	session *Session
	refused bool // the handler's answer is not sent: another one was
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// commit tells whether the handler's answer may go.
func (w *writer) commit() bool {
	if w.session.closed {
		return !w.refused
	}
	w.session.closed = true
	outcome := w.app.source.close(w.session, w.Header().Add)
	if outcome == session.Go {
		return true
	}
	w.refused = true
	status, body := refusal(outcome)
	http.Error(w.ResponseWriter, body, status)
	return false
}

// WriteHeader is http.ResponseWriter's. An answer before the last changes
// nothing, but 101 is the last.
func (w *writer) WriteHeader(status int) {
	if status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.commit() {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write is http.ResponseWriter's.
func (w *writer) Write(p []byte) (int, error) {
	if !w.commit() {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Flush is http.Flusher's.
func (w *writer) Flush() {
	if w.commit() {
		_ = http.NewResponseController(w.ResponseWriter).Flush() // an error: it cannot
	}
}
