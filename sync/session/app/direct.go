package app

import (
	"bytes"

	"multiserver/sync/session"
)

// Direct is for an application that holds a store itself. The store and the keys
// stay the caller's to close.
func Direct(s *session.Sessions) *App { return &App{direct{s}} }

type direct struct{ *session.Sessions }

func (d direct) open(in incoming) (*Session, session.Outcome) {
	v := &session.Visit{Secure: in.secure}
	if name := d.ByHeader(); name != "" {
		if token := in.field(name); token != "" {
			d.OfferToken(v, []byte(token))
		}
	} else {
		in.each("Cookie", func(value string) { d.Offer(v, []byte(value)) })
	}
	told, outcome := d.Begin(v, nil)
	s := &Session{visit: v, version: v.Record.Version}
	if bytes.HasPrefix(told, []byte("X-Session-Error")) {
		s.err = ErrAway
	}
	if s.version != 0 {
		s.id = v.ID.String()
		s.record.Copy(&v.Record)
	}
	return s, outcome
}

func (d direct) close(s *Session, add func(name, value string)) session.Outcome {
	s.fields(func(name, value string) { d.Take(s.visit, []byte(name), []byte(value)) })
	out, outcome := d.Finish(s.visit, nil)
	if name, value, ok := bytes.Cut(bytes.TrimSuffix(out, []byte("\r\n")), []byte(": ")); ok {
		add(string(name), string(value))
	}
	if s.visit.Used() { // no cache may give it to others, nor the cookie that it sets
		add("Cache-Control", `private, no-cache="Set-Cookie"`)
		add("Vary", "Cookie")
	}
	return outcome
}
