package certs

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
)

// The encryption of PKCS #8 keys: PBES2 with PBKDF2 (RFC 8018), which is what
// openssl has written since 1.1.0. The standard library has the parts, but
// not the form around them.

type sealedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

type pbes2 struct {
	Derivation, Encryption pkix.AlgorithmIdentifier
}

type derivation struct {
	Salt       []byte
	Iterations int
	Length     int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"

	maxIterations = 10_000_000 // seconds; openssl takes 2048, careful people 600000
)

var prfs = map[string]func() hash.Hash{
	"":                    sha1.New, // the default
	"1.2.840.113549.2.7":  sha1.New,
	"1.2.840.113549.2.9":  sha256.New,
	"1.2.840.113549.2.10": sha512.New384,
	"1.2.840.113549.2.11": sha512.New,
}

var ciphers = map[string]struct {
	length int
	make   func(key []byte) (cipher.Block, error)
}{
	"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
	"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
	"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
	"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
}

// openPKCS8 decrypts an EncryptedPrivateKeyInfo; errPassphrase if the
// passphrase does not fit.
func openPKCS8(der, passphrase []byte) ([]byte, error) {
	var k sealedKey
	if err := parse(der, &k); err != nil {
		return nil, err
	}
	if oid := k.Algorithm.Algorithm.String(); oid != oidPBES2 {
		return nil, unsupported(oid)
	}
	var p pbes2
	if err := parse(k.Algorithm.Parameters.FullBytes, &p); err != nil {
		return nil, err
	}
	c, ok := ciphers[p.Encryption.Algorithm.String()]
	if !ok {
		return nil, unsupported(p.Encryption.Algorithm.String())
	}
	var iv []byte
	if err := parse(p.Encryption.Parameters.FullBytes, &iv); err != nil {
		return nil, err
	}
	key, err := derive(p.Derivation, passphrase, c.length)
	if err != nil {
		return nil, err
	}
	block, err := c.make(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != block.BlockSize() || len(k.Data) == 0 || len(k.Data)%block.BlockSize() != 0 {
		return nil, errForm
	}
	clear := make([]byte, len(k.Data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(clear, k.Data)
	return unpad(clear, block.BlockSize())
}

func derive(how pkix.AlgorithmIdentifier, passphrase []byte, length int) ([]byte, error) {
	if oid := how.Algorithm.String(); oid != oidPBKDF2 {
		return nil, unsupported(oid)
	}
	var d derivation
	if err := parse(how.Parameters.FullBytes, &d); err != nil {
		return nil, err
	}
	prf, ok := prfs[d.PRF.Algorithm.String()]
	switch {
	case !ok:
		return nil, unsupported(d.PRF.Algorithm.String())
	case d.Iterations < 1 || d.Iterations > maxIterations, d.Length != 0 && d.Length != length:
		return nil, errForm
	}
	return pbkdf2.Key(prf, string(passphrase), d.Salt, d.Iterations, length)
}

// unpad takes the padding off (RFC 8018 §6.1.1), which is what a wrong
// passphrase most often leaves wrong; what it does not, parses finds.
func unpad(b []byte, size int) ([]byte, error) {
	n := int(b[len(b)-1])
	if n < 1 || n > size {
		return nil, errPassphrase
	}
	for _, c := range b[len(b)-n:] {
		if int(c) != n {
			return nil, errPassphrase
		}
	}
	if b = b[:len(b)-n]; !parses(b) {
		return nil, errPassphrase
	}
	return b, nil
}

var errForm = errors.New("damaged: not the form of an encrypted key")

func parse(der []byte, into any) error {
	if rest, err := asn1.Unmarshal(der, into); err != nil || len(rest) > 0 {
		return errForm
	}
	return nil
}

func unsupported(oid string) error {
	return fmt.Errorf("encrypted in a way that is not supported (%s), want what openssl pkcs8 -topk8 -v2 aes256 writes", oid)
}
