package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"sync"
)

// Ring is the keys that cookies are signed with: the first signs, all verify.
// It is never changed; another takes its place.
type Ring struct{ keys []*key }

type key struct {
	name [keyBytes]byte // of the secret: nodes that share it agree on its name
	macs sync.Pool      // of *mac: an HMAC costs 1 µs to make and 0.3 to use again
}

type mac struct {
	hash.Hash
	message [len(Bearer{}.Raw) + 8]byte
	sum     [sha256.Size]byte
}

// keyBytes is the length of a key's name, macBytes of a signature: 2^128
// guesses are enough.
const (
	keyBytes = 3
	macBytes = 16
)

// NewRing makes a ring of secrets, each of 16 bytes or more that nobody
// guesses.
func NewRing(secrets ...[]byte) *Ring {
	r := new(Ring)
	for _, secret := range secrets {
		k := new(key)
		name := sha256.Sum256(append([]byte("multiserver session key\x00"), secret...))
		copy(k.name[:], name[:])
		k.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, secret)} }
		r.keys = append(r.keys, k)
	}
	return r
}

func (r *Ring) find(name [keyBytes]byte) *key {
	for _, k := range r.keys {
		if k.name == name {
			return k
		}
	}
	return nil
}

// sign appends the signature of b; verify tells whether it is that.
func (k *key) sign(dst []byte, b *Bearer) []byte {
	m := k.macs.Get().(*mac)
	dst = append(dst, m.of(b)...)
	k.macs.Put(m)
	return dst
}

func (k *key) verify(signature []byte, b *Bearer) bool {
	m := k.macs.Get().(*mac)
	ok := hmac.Equal(signature, m.of(b))
	k.macs.Put(m)
	return ok
}

func (m *mac) of(b *Bearer) []byte {
	n := copy(m.message[:], b.Raw[:])
	binary.BigEndian.PutUint64(m.message[n:], b.Version)
	m.Reset()
	m.Write(m.message[:])
	return m.Sum(m.sum[:0])[:macBytes]
}

// Bearer is what a client has of a session: whoever shows it is that client.
type Bearer struct {
	Raw     [16]byte // random
	Version uint64   // of the session when the client was last answered; 0 unknown
}

// ID is what the store knows the session by.
func (b *Bearer) ID() (id ID) {
	sum := sha256.Sum256(b.Raw[:])
	copy(id[:], sum[:])
	return id
}

// Verdict is what is to be said of a token.
type Verdict uint8

// The verdicts.
const (
	Valid     Verdict = iota
	Malformed         // no token of ours
	Unknown           // signed with a key that is not in the ring
	Forged
)

// A token is the id, a dot, the key's name and the signature, and behind
// another dot the version if there is one: 49 to 70 characters, all base64url
// or digits.
const (
	keyText   = 4
	macText   = 22
	tokenText = IDText + 1 + keyText + macText
)

// Append appends b's token.
func (r *Ring) Append(dst []byte, b *Bearer) []byte {
	dst = base64.RawURLEncoding.AppendEncode(dst, b.Raw[:])
	dst = append(dst, '.')
	dst = base64.RawURLEncoding.AppendEncode(dst, r.keys[0].name[:])
	var sum [macBytes]byte
	dst = base64.RawURLEncoding.AppendEncode(dst, r.keys[0].sign(sum[:0], b))
	if b.Version != 0 {
		dst = append(dst, '.')
		dst = appendUint(dst, b.Version)
	}
	return dst
}

// Verify reads a token into b. Of all texts of one Bearer and key it takes one
// alone, so that nobody makes two of one cookie.
func (r *Ring) Verify(token []byte, b *Bearer) Verdict {
	*b = Bearer{}
	if len(token) < tokenText || token[IDText] != '.' {
		return Malformed
	}
	var name [keyBytes]byte
	var signature [macBytes]byte
	rest := token[IDText+1:]
	if !decode(b.Raw[:], token[:IDText]) || !decode(name[:], rest[:keyText]) || !decode(signature[:], rest[keyText:keyText+macText]) {
		return Malformed
	}
	if rest = rest[keyText+macText:]; len(rest) > 0 {
		var ok bool
		if b.Version, ok = parseUint(rest[1:]); !ok || rest[0] != '.' || b.Version == 0 {
			return Malformed
		}
	}
	k := r.find(name)
	switch {
	case k == nil:
		return Unknown
	case !k.verify(signature[:], b):
		return Forged
	}
	return Valid
}

func decode(dst, text []byte) bool {
	n, err := strict.Decode(dst, text)
	return err == nil && n == len(dst)
}
