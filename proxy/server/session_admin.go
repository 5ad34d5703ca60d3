package server

import (
	"context"
	"errors"

	"multiserver/proxy/admin"
	"multiserver/sync/session"
)

// pages are what the admin listener has to say of sessions; nil: there are none.
func (m *sessions) pages() *admin.Sessions {
	any := m.by[0] // where a session lies does not depend on terms
	if any == nil {
		return nil
	}
	return &admin.Sessions{
		Find: func(ctx context.Context, id string) (data []byte, version uint64, err error) {
			var r session.Record
			if err := any.Find(ctx, []byte(id), &r); err != nil {
				return nil, 0, told(err)
			}
			return r.AppendJSON(nil), r.Version, nil
		},
		End: func(ctx context.Context, id string) error { return told(any.End(ctx, []byte(id))) },
	}
}

// told puts an error in the words of package admin.
func told(err error) error {
	switch {
	case errors.Is(err, session.ErrNone):
		return admin.ErrNoSession
	case err != nil:
		return admin.ErrSessionsAway
	}
	return nil
}
