package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// pair is a certificate in two files.
type pair struct {
	Pair
	seen [3]stamp // of its files when it was loaded
}

func (p *pair) name() string { return p.Cert }

// load reads the files if one of them is another than when it last succeeded:
// what is broken is tried again each time, for it may have been read halfway
// through being written.
func (p *pair) load(forced bool) (*tls.Certificate, error) {
	now := [3]stamp{stampOf(p.Cert), stampOf(p.Key), stampOf(p.Passphrases)}
	if !forced && now[0].same(p.seen[0]) && now[1].same(p.seen[1]) && now[2].same(p.seen[2]) {
		return nil, nil
	}
	c, err := p.Load()
	if err != nil {
		return nil, err
	}
	p.seen = now // from before it was read
	return c, nil
}

// Load reads the certificate, with its Leaf, and its key. The error names the
// file that is wrong if it is not Cert.
func (p Pair) Load() (*tls.Certificate, error) {
	chain, err := os.ReadFile(p.Cert)
	if err != nil {
		return nil, cause(err)
	}
	if !has(chain, "CERTIFICATE") {
		return nil, errors.New("no certificate in it, want one in PEM (-----BEGIN CERTIFICATE-----)")
	}
	key, err := p.readKey()
	if err != nil {
		return nil, err
	}
	c, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, p.explain(chain, err)
	}
	return &c, nil
}

// explain says what X509KeyPair did not like.
func (p Pair) explain(chain []byte, err error) error {
	for block, rest := pem.Decode(chain); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, bad := x509.ParseCertificate(block.Bytes); bad != nil {
			return bad
		}
		return fmt.Errorf("key %s: %w", p.Key, misfit(err))
	}
	return err
}

func misfit(err error) error {
	switch err.Error() {
	case "tls: private key does not match public key", "tls: private key type does not match public key type":
		return errors.New("is another certificate's key")
	}
	return err
}

func has(text []byte, kind string) bool {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			return true
		}
	}
	return false
}

// stamp tells a file from the one that takes its place. nil: there is none.
type stamp struct{ fs.FileInfo }

func stampOf(path string) stamp {
	if path == "" {
		return stamp{}
	}
	info, _ := os.Stat(path)
	return stamp{info}
}

// same compares inode, time and length: a file may be renamed over another of
// the same second, or written in place.
func (a stamp) same(b stamp) bool {
	if a.FileInfo == nil || b.FileInfo == nil {
		return a.FileInfo == nil && b.FileInfo == nil
	}
	return os.SameFile(a.FileInfo, b.FileInfo) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// cause is what is wrong with a file that the message names already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
