package certs

import (
	"crypto/tls"
	"slices"
)

// Issued is certificates that are ordered from an authority, and may not be
// there yet. Its methods do not wait, but for Prove.
type Issued interface {
	// Names are those that certificates are ordered for.
	Names() []string
	// Certificate is the present one for a name, its Leaf filled in; nil:
	// there is none yet.
	Certificate(name string) *tls.Certificate
	// Changed gets something when there is a certificate that was not there.
	Changed() <-chan struct{}
	// Prove is a tls.Config's GetCertificate, for authorities that want to
	// see whether a name is ours.
	Prove(*tls.ClientHelloInfo) (*tls.Certificate, error)
}

// proofProtocol is what they offer, and nothing besides (RFC 8737 §3).
const proofProtocol = "acme-tls/1"

// issued is a source of one name. Until its certificate is there it has none:
// clients that ask for the name see the first of the others, or no handshake
// if there is none. One that nobody vouches for would teach people to go on
// past their browser's warning.
type issued struct {
	domain string
	from   Issued
	last   *tls.Certificate
}

func (i *issued) name() string { return "acme:" + i.domain }

func (i *issued) load(forced bool) (*tls.Certificate, error) {
	c := i.from.Certificate(i.domain)
	if c == nil || !forced && i.last != nil && slices.EqualFunc(c.Certificate, i.last.Certificate, slices.Equal) {
		return nil, nil
	}
	i.last = c
	return c, nil
}

// prove makes of c a Config that answers authorities as well. These have no
// certificate to show, and get no session to come back with.
func prove(c *tls.Config, from Issued) {
	proof := &tls.Config{
		GetCertificate:         from.Prove,
		NextProtos:             []string{proofProtocol},
		MinVersion:             tls.VersionTLS12, // RFC 8737 §3
		SessionTicketsDisabled: true,
	}
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if p := hello.SupportedProtos; len(p) == 1 && p[0] == proofProtocol {
			return proof, nil
		}
		return nil, nil
	}
}
