package server

import (
	"fmt"

	"multiserver/proxy/config"
)

// planTLS reads the certificates that c names and that are not shown yet; change
// has clients see them. Where there is to be no TLS nothing changes, nor where there
// was none and it wants certificates that are ordered, which begins with a start.
// Called with the reloads' mu held.
func (s *Server) planTLS(c *config.Config) (t *termination, change func(), err error) {
	t = s.tls.Load()
	switch first := t == nil; {
	case len(c.TLS.Listen) == 0, first && len(c.TLS.ACME.Names) > 0:
		return t, func() {}, nil
	case first:
		t, err = s.newTermination(&c.TLS)
		return t, func() { s.beginTLS(t) }, err
	}
	show, err := t.certs.Plan(c.TLS.Pairs, c.TLS.SelfSigned)
	if err != nil {
		return nil, nil, fmt.Errorf("TLS: %w", err)
	}
	return t, func() {
		show()
		t.certs.Reload()
	}, nil
}

// since is what TLS is spoken by, with what only a start can say.
func (t *termination) since(start *config.TLS) config.TLS {
	c := *t.of
	c.ACME, c.HTTP3, c.HSTS = start.ACME, start.HTTP3, start.HSTS
	return c
}

// beginTLS is for the first that is spoken. Called with the reloads' mu held.
func (s *Server) beginTLS(t *termination) {
	s.tls.Store(t)
	s.work.wg.Go(func() { t.certs.Run(s.work.ctx) })
}
