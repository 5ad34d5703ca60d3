package certs

import (
	"errors"
	"slices"
)

// Plan makes ready to show what pairs say, in place of those before, and one
// for localhost if self: change does it. What is ordered stays. An error
// tells of each that cannot be used, and then nothing has changed. No other
// Plan may be made before change was called or dropped.
func (s *Store) Plan(pairs []Pair, self bool) (change func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*kept
	var errs []error
	add := func(suits func(source) bool, make func() source) {
		i := slices.IndexFunc(s.kept, func(k *kept) bool { return suits(k.source) })
		if i >= 0 {
			all = append(all, s.kept[i])
			return
		}
		k := &kept{source: make()}
		if _, err := k.look(s, true); err != nil {
			errs = append(errs, err)
		}
		all = append(all, k)
	}
	for _, p := range pairs {
		add(func(o source) bool { q, ok := o.(*pair); return ok && q.Pair == p }, func() source { return &pair{Pair: p} })
	}
	for _, k := range s.kept {
		if _, ordered := k.source.(*issued); ordered {
			all = append(all, k)
		}
	}
	if self {
		add(func(o source) bool { _, ok := o.(*selfSigned); return ok }, func() source { return &selfSigned{} })
	}
	if len(all) == 0 {
		errs = append(errs, errors.New("no certificate"))
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.kept = all
		s.publish()
	}, errors.Join(errs...)
}
