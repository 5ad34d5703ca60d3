package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// readKey reads the private key, in clear PEM.
func (p Pair) readKey() ([]byte, error) {
	text, err := os.ReadFile(p.Key)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", p.Key, cause(err))
	}
	block := privateKey(text)
	switch {
	case block == nil && p.Key == p.Cert:
		return nil, errors.New("no private key in it, want one, or a file that has it")
	case block == nil:
		return nil, fmt.Errorf("key %s: no private key in it, want one in PEM (-----BEGIN PRIVATE KEY-----)", p.Key)
	case encrypted(block):
		if block, err = p.decrypt(block); err != nil {
			return nil, fmt.Errorf("key %s: %w", p.Key, err)
		}
	}
	return pem.EncodeToMemory(block), nil
}

func privateKey(text []byte) *pem.Block {
	block, rest := pem.Decode(text)
	for block != nil && !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		block, rest = pem.Decode(rest)
	}
	return block
}

const sealed = "ENCRYPTED PRIVATE KEY" // PKCS #8

func encrypted(block *pem.Block) bool {
	return block.Type == sealed || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED")
}

// decrypt tries one passphrase after the other.
func (p Pair) decrypt(block *pem.Block) (*pem.Block, error) {
	if p.Passphrases == "" {
		return nil, errors.New("is encrypted, and there is no file of passphrases")
	}
	text, err := os.ReadFile(p.Passphrases)
	if err != nil {
		return nil, fmt.Errorf("passphrases %s: %w", p.Passphrases, cause(err))
	}
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		clear, err := open(block, line)
		if err == nil {
			return clear, nil
		}
		if err != errPassphrase {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no passphrase in %s opens it", p.Passphrases)
}

var errPassphrase = errors.New("wrong passphrase")

// open decrypts block; errPassphrase if the passphrase does not fit.
func open(block *pem.Block, passphrase []byte) (*pem.Block, error) {
	if block.Type == sealed {
		der, err := openPKCS8(block.Bytes, passphrase)
		return &pem.Block{Type: "PRIVATE KEY", Bytes: der}, err
	}
	// The form of before PKCS #8, with DEK-Info. It protects badly, which is
	// why it is deprecated: but whoever has such files has them.
	der, err := x509.DecryptPEMBlock(block, passphrase) //nolint:staticcheck
	if err == x509.IncorrectPasswordError || err == nil && !parses(der) {
		return nil, errPassphrase
	}
	return &pem.Block{Type: block.Type, Bytes: der}, err
}

// parses tells whether der is a key: one in 256 wrong passphrases leaves what
// looks like right padding.
func parses(der []byte) bool {
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return true
	}
	_, err := x509.ParseECPrivateKey(der)
	return err == nil
}
