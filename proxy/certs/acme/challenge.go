package acme

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// TLSALPN is the protocol of a TLS-ALPN-01 proof (RFC 8737), and the only one
// that whoever wants it offers.
const TLSALPN = "acme-tls/1"

// HTTPPath begins the path of a HTTP-01 proof (RFC 8555 §8.3).
const HTTPPath = "/.well-known/acme-challenge/"

const longestPath = 256 // of a proof: 43 signs behind HTTPPath, mostly

var errNotOurs = errors.New("a proof for a name that was not ordered here")

// Prove is a tls.Config's GetCertificate, for hellos that offer TLSALPN alone.
func (a *Authority) Prove(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if p := hello.SupportedProtos; len(p) != 1 || p[0] != TLSALPN || !a.names[strings.ToLower(hello.ServerName)] {
		return nil, errNotOurs
	}
	return a.config.GetCertificate(hello)
}

// ProveHTTP is what to answer to a GET of a path below HTTPPath; nil: nothing
// that we know of. host may have a port. Both are only read.
func (a *Authority) ProveHTTP(host, path []byte) []byte {
	name, _, _ := strings.Cut(strings.ToLower(string(host)), ":")
	if !a.names[name] || len(path) > longestPath {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTime)
	defer cancel()
	ask := (&http.Request{Method: http.MethodGet, Host: name, URL: &url.URL{Path: string(path)}}).WithContext(ctx)
	var said answer
	if !a.issuer.HandleHTTPChallenge(&said, ask) {
		return nil
	}
	return said.Bytes()
}

// answer is a http.ResponseWriter of which only the body counts.
type answer struct{ bytes.Buffer }

func (*answer) Header() http.Header { return http.Header{} }
func (*answer) WriteHeader(int)     {}
