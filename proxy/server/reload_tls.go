package server

import (
	"fmt"

	"multiserver/proxy/config"
)

// planCertificates reads those that c names and that are not shown yet; change
// has clients see them. Where there is no TLS, or is to be none, nothing
// changes.
func (s *Server) planCertificates(c *config.Config) (change func(), err error) {
	if s.certs == nil || len(c.TLS.Listen) == 0 {
		return func() {}, nil
	}
	if change, err = s.certs.Plan(c.TLS.Pairs, c.TLS.SelfSigned); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return change, nil
}
