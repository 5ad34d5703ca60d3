package certs

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"sync/atomic"
)

// index finds certificates by the names they are for. It is never edited.
type index struct {
	named   map[string][]*tls.Certificate // in lower case; *.example.org as it is
	all     []*tls.Certificate
	unknown *atomic.Uint64
}

func newIndex(from []shown, unknown *atomic.Uint64) *index {
	x := &index{named: map[string][]*tls.Certificate{}, unknown: unknown}
	for _, c := range from {
		x.all = append(x.all, c.cert)
		for _, n := range names(c.cert.Leaf) {
			n = strings.ToLower(n)
			x.named[n] = append(x.named[n], c.cert)
		}
	}
	return x
}

// names are those that a certificate is for. The common name has not counted
// for clients since 2017, but says best what the operator means if it is alone.
func names(leaf *x509.Certificate) []string {
	if len(leaf.DNSNames) > 0 || len(leaf.IPAddresses) > 0 {
		return leaf.DNSNames
	}
	return []string{leaf.Subject.CommonName}
}

// choose is a tls.Config's GetCertificate. A name that nobody has gets the
// first certificate: the client then sees whom it has reached instead, and
// one that does not check is served, as one without a name is. If there is
// none at all yet, package tls says so by unrecognized_name.
func (x *index) choose(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	found := x.find(hello.ServerName)
	if len(found) == 1 { // fast path
		return found[0], nil
	}
	if len(found) == 0 {
		return nil, nil
	}
	for _, c := range found {
		if hello.SupportsCertificate(c) == nil {
			return c, nil
		}
	}
	return found[0], nil
}

func (x *index) find(name string) []*tls.Certificate {
	if name == "" {
		return x.all
	}
	name = strings.ToLower(name)
	if found := x.named[name]; found != nil {
		return found
	}
	if _, rest, ok := strings.Cut(name, "."); ok { // RFC 9525 §6.3: for one label
		if found := x.named["*."+rest]; found != nil {
			return found
		}
	}
	x.unknown.Add(1)
	return x.all
}
