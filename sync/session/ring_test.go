package session

import (
	"bytes"
	"encoding/base64"
	"testing"
)

func secret(c byte) []byte { return bytes.Repeat([]byte{c}, 32) }

func TestTokens(t *testing.T) {
	a, b := NewRing(secret('a')), NewRing(secret('b'))
	both := NewRing(secret('b'), secret('a'))
	one := Bearer{Raw: [16]byte{1, 2, 3}, Version: 17}
	token := string(a.Append(nil, &one))
	plain := string(a.Append(nil, &Bearer{Raw: one.Raw}))
	f := func(r *Ring, token string, want Verdict) {
		t.Helper()
		var got Bearer
		if v := r.Verify([]byte(token), &got); v != want || v == Valid && got.Raw != one.Raw {
			t.Errorf("%s: %v %v, want %v", token, v, got, want)
		}
	}
	f(a, token, Valid)
	f(a, plain, Valid)
	f(both, token, Valid) // the key has been rotated
	f(b, token, Unknown)
	f(a, string(both.Append(nil, &one)), Unknown)
	f(a, token[:len(token)-1]+"8", Forged) // the version is signed
	f(a, plain+".1", Forged)
	f(a, plain+".0", Malformed)
	f(a, plain+".017", Malformed)
	f(a, plain+".99999999999999999999", Malformed)
	f(a, plain+".", Malformed)
	f(a, plain+"x17", Malformed)
	f(a, token[1:], Malformed)
	f(a, "B"+token[1:], Forged)
	f(a, "", Malformed)
	f(a, plain[:len(plain)-1]+"*", Malformed)
	last := bytes.IndexByte([]byte(alphabet), plain[len(plain)-1])
	f(a, plain[:len(plain)-1]+alphabet[last|1:last|1+1], Malformed) // bits that no byte needs
	f(a, token+"\n", Malformed)
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

func TestTheStoreCannotTellTheToken(t *testing.T) {
	b := newBearer()
	id := b.ID()
	if bytes.Contains(NewRing(secret('a')).Append(nil, &b), []byte(id.String())) || bytes.Equal(id[:], b.Raw[:]) {
		t.Error("the id is in the token")
	}
	got, ok := ParseID([]byte(id.String()))
	if !ok || got != id {
		t.Errorf("%v, %v", got, ok)
	}
}

func FuzzToken(f *testing.F) {
	ring := NewRing(secret('a'), secret('b'))
	one := Bearer{Raw: [16]byte{1}, Version: 3}
	f.Add(ring.Append(nil, &one))
	f.Add([]byte(base64.RawURLEncoding.EncodeToString(one.Raw[:])))
	f.Fuzz(func(t *testing.T, token []byte) {
		var b Bearer
		switch ring.Verify(token, &b) {
		case Valid:
			if got := ring.Append(nil, &b); !bytes.Equal(got, token) {
				t.Errorf("two tokens of one bearer: %s, %s", token, got)
			}
		case Malformed, Unknown, Forged:
		}
	})
}

func FuzzCookies(f *testing.F) {
	j, err := newJar(Cookie{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("a=1; sync_sess=x; b=2"))
	f.Add([]byte(" sync_sess=x ;;sync_sess=;sync_sess"))
	f.Fuzz(func(t *testing.T, header []byte) {
		s := Sessions{jar: j}
		rest := s.Strip(nil, header)
		if s.Holds(rest) {
			t.Errorf("%q: %q", header, rest)
		}
		if again := s.Strip(nil, rest); !bytes.Equal(again, rest) {
			t.Errorf("%q: %q, then %q", header, rest, again)
		}
	})
}
