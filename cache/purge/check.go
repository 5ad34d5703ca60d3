package purge

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Verdict is what the marks say of an entry. The worse is the higher.
type Verdict uint8

// The verdicts.
const (
	Valid Verdict = iota // no mark applies
	Soft                 // stale: may be used while it is refreshed, or where no upstream answers
	Gone                 // never to be used
)

// Check asks for all marks that are newer than the entry. tags is what
// AppendTags made. Nothing is kept of either.
func (t *Table) Check(key, tags []byte, seq uint64) Verdict {
	// fast path: nothing was purged since the entry was fetched.
	if t.last.Load() <= seq {
		return Valid
	}
	if x := t.index.Load(); x != nil {
		return x.check(key, tags, seq)
	}
	return Valid
}

func (x *index) check(key, tags []byte, seq uint64) Verdict {
	v := x.all.verdict(seq)
	if v < x.tags.verdict(seq) {
		v = x.checkTags(tags, seq, v)
	}
	if v < x.prefixes.verdict(seq) {
		v = x.checkPrefixes(bare(key), seq, v)
	}
	if v < x.urls.verdict(seq) {
		v = x.checkURL(bare(key), seq, v)
	}
	return v
}

func (x *index) checkTags(tags []byte, seq uint64, v Verdict) Verdict {
	for ; len(tags) >= 8 && v < Gone; tags = tags[8:] {
		hash := binary.LittleEndian.Uint64(tags)
		if hash == many {
			return max(v, x.tags.verdict(seq))
		}
		if s := x.find(hash); s != nil {
			v = max(v, s.verdict(seq))
		}
	}
	return v
}

func (x *index) checkPrefixes(key []byte, seq uint64, v Verdict) Verdict {
	w := walk{bytes: key, sum: seedPrefix}
	for i := range x.lengths {
		for set := x.lengths[i].Load(); set != 0; set &= set - 1 {
			n := 64*i + bits.TrailingZeros64(set) + 1
			if n > len(key) || v == Gone {
				return v
			}
			if s := x.find(w.to(n)); s != nil {
				v = max(v, s.verdict(seq))
			}
		}
	}
	return v
}

func (x *index) checkURL(key []byte, seq uint64, v Verdict) Verdict {
	if s := x.find(hashURL(key)); s != nil {
		v = max(v, s.verdict(seq))
	}
	return v
}

func hashURL(key []byte) uint64 {
	w := walk{bytes: key, sum: seedURL}
	return w.to(len(key))
}

// bare is a key without its scheme.
func bare(key []byte) []byte {
	if rest, ok := bytes.CutPrefix(key, []byte("http://")); ok {
		return rest
	}
	return bytes.TrimPrefix(key, []byte("https://"))
}

// hash is what the mark is found by, and a prefix's length, or what stands for
// one. It is empty for a mark without a kind.
func (m *Mark) hash() (hash uint64, length int) {
	switch m.Kind {
	case Prefix:
		name := bare(m.Name)
		length = min(len(name), longest)
		w := walk{bytes: name, sum: seedPrefix}
		return w.to(length), length
	case Tag:
		return HashTag(m.Name), ofTag
	case URL:
		return hashURL(bare(m.Name)), ofURL
	}
	return empty, 0
}
