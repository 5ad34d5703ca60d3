package certs

import (
	"crypto/x509"
	"errors"
	"os"
)

// Roots reads a file of certificates in PEM: those that are believed when they
// vouch for others.
func Roots(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, cause(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("no certificate in it, want some in PEM (-----BEGIN CERTIFICATE-----)")
	}
	return pool, nil
}

// roots is such a file that may be replaced.
type roots struct {
	path string
	seen stamp
	pool *x509.CertPool
	trouble
}

func (r *roots) look(forced bool) (changed bool, err error) {
	now := stampOf(r.path)
	if !forced && now.same(r.seen) {
		return false, nil
	}
	pool, err := Roots(r.path)
	if err != nil {
		return false, err
	}
	r.seen, r.pool = now, pool
	return true, nil
}
