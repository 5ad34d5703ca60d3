package config

import (
	"errors"
	"strconv"
	"time"
)

// splitCookie is the name of the cookie that keeps a client with its share,
// unless another is said.
const splitCookie = "multiserver-split"

func (f *file) readSplit(p pair, s *section) {
	sum, before := 0, len(f.wrong)
	for _, q := range f.pairs(p.val, p.at) {
		word := f.one(q)
		weight, err := strconv.Atoi(word)
		switch {
		case word == "":
			continue
		case err != nil || weight < 0 || weight > maxWeight:
			f.add(q.at, word, "not a share, want a whole number from 0 to %d, such as 90", maxWeight)
			continue
		}
		sum += weight
		s.split, s.shareAt = append(s.split, Share{q.key, weight}), append(s.shareAt, q.at)
	}
	s.broken = s.broken || len(f.wrong) > before
	switch {
	case s.broken:
	case len(s.split) < 2:
		f.add(p.at, "", "has fewer than two pools, want two or more, such as split: {stable: 90, canary: 10}, or pool: NAME")
		s.broken = true
	case sum == 0:
		f.add(p.at, "", "all shares are 0, want one that is not")
	}
}

// checkSplit finds what was said in vain, or twice.
func (f *file) checkSplit(s *section) {
	if s.pool != "" && s.split != nil {
		f.add(s.at, "", "has both a pool and a split, want one of them")
	}
	for _, p := range s.keeping {
		if s.split == nil && !s.broken {
			f.add(p.at, "", "has no effect without a split, want one as well")
		}
	}
}

func (f *file) readCookie(p pair, s *section) {
	s.keeping = append(s.keeping, p)
	switch word := f.one(p); {
	case word == "":
	case word == none:
		s.cookie = ""
	case !isToken(word):
		f.add(p.at, word, "no cookie can be called that")
	default:
		s.cookie = word
	}
}

func (f *file) readTTL(p pair, s *section) {
	s.keeping = append(s.keeping, p)
	word := f.one(p)
	if word == "" {
		return
	}
	d, err := durationIn(0, longest, word)
	if err == nil && d%time.Second != 0 {
		err = errors.New("cookies count whole seconds")
	}
	if err != nil {
		f.add(p.at, word, "%s", err)
	}
	s.ttl = d
}
