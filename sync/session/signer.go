package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// signer makes X-Session-Signature: t=<unix seconds>,v1=<HMAC-SHA256 of
// "seconds.id.version.data" in base64url>. data is as in the field, or empty.
type signer struct{ macs sync.Pool }

type signing struct {
	hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

func newSigner(key []byte) *signer {
	g := new(signer)
	g.macs.New = func() any { return &signing{Hash: hmac.New(sha256.New, key)} }
	return g
}

// append appends the field's value.
func (g *signer) append(dst []byte, second uint64, id, data []byte, version uint64) []byte {
	m := g.macs.Get().(*signing)
	m.message = appendUint(m.message[:0], second)
	m.message = append(m.message, '.')
	m.message = append(m.message, id...)
	m.message = append(m.message, '.')
	m.message = appendUint(m.message, version)
	m.message = append(m.message, '.')
	m.Reset()
	m.Write(m.message)
	m.Write(data)
	dst = append(dst, "t="...)
	dst = appendUint(dst, second)
	dst = append(dst, ",v1="...)
	dst = base64.RawURLEncoding.AppendEncode(dst, m.Sum(m.sum[:0]))
	g.macs.Put(m)
	return dst
}

// ErrSignature is that fields do not come from who knows the key, or came long
// ago.
var ErrSignature = errors.New("session: the signature is wrong")

// CheckSignature is for backends: it tells whether the values of X-Session-Id,
// -Version, -Data (or "") and -Signature were made by who knows the key, not
// longer ago than within. Who records them can show them again that long.
func CheckSignature(key []byte, id, version, data, signature string, within time.Duration, now time.Time) error {
	t, _, _ := strings.Cut(strings.TrimPrefix(signature, "t="), ",")
	second, err := strconv.ParseInt(t, 10, 64)
	v, ok := parseUint([]byte(version))
	if err != nil || !ok {
		return ErrSignature
	}
	want := newSigner(key).append(nil, uint64(second), []byte(id), []byte(data), v)
	if age := now.Sub(time.Unix(second, 0)).Abs(); age > within || !hmac.Equal(want, []byte(signature)) {
		return ErrSignature
	}
	return nil
}
