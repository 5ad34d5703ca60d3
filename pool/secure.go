package pool

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"

	"multiserver/pool/stream"
)

// sessions is how many TLS sessions are remembered for an upstream, so that a
// further connection costs neither side a signature.
const sessions = 64

// secure is how TLS is spoken with an upstream that is called host.
func secure(base *tls.Config, host string, h2 bool) *tls.Config {
	c := &tls.Config{}
	if base != nil {
		c = base.Clone()
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	c.ServerName = cmp.Or(c.ServerName, host)
	c.NextProtos = []string{"http/1.1"}
	if h2 {
		c.NextProtos = []string{stream.ALPN}
	}
	c.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
	return c
}

// shake agrees on TLS over nc, or closes it.
func (u *Upstream) shake(ctx context.Context, nc net.Conn) (net.Conn, error) {
	c := tls.Client(nc, u.tls)
	if err := c.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, &handshakeError{err}
	}
	return c, nil
}

// handshakeError is a failure behind a connection that was made.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return fmt.Sprintf("TLS handshake: %v", e.err) }

// Unwrap gives the cause.
func (e *handshakeError) Unwrap() error { return e.err }

// reason tells what is wrong with the certificate, if that is what it is.
func (e *handshakeError) reason() Reason {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var bad *tls.CertificateVerificationError
	switch {
	case errors.As(e.err, &name):
		return WrongName
	case errors.As(e.err, &invalid) && invalid.Reason == x509.Expired:
		return Expired
	case errors.As(e.err, &bad):
		return Untrusted
	}
	return NoHandshake
}
