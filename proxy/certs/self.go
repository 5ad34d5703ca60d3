package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

// selfSigned is a certificate for this machine alone, that nobody vouches for.
// It is in memory only: a key that is written down is one that can be stolen
// and that browsers may have been told to believe.
type selfSigned struct{ until time.Time }

const (
	selfLife  = 90 * 24 * time.Hour
	selfSpare = selfLife / 3 // left of it when the next one is made
)

func (*selfSigned) name() string { return "self-signed" }

func (s *selfSigned) load(bool) (*tls.Certificate, error) {
	now := time.Now()
	if now.Before(s.until.Add(-selfSpare)) {
		return nil, nil
	}
	c, err := makeSelf(now)
	if err == nil {
		s.until = c.Leaf.NotAfter
	}
	return c, err
}

func makeSelf(now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	like := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: "multiserver, self-signed"},
		DNSNames:              []string{"localhost", "*.localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:             now.Add(-time.Hour), // a clock may be behind
		NotAfter:              now.Add(selfLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, like, like, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
