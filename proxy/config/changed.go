package config

import "slices"

// Changed are the names of the settings of a scope that a has other than b.
func Changed(a, b *Config, of Scope) (names []string) {
	for i := range Settings {
		s := &Settings[i]
		if s.Scope() == of && !slices.Equal(s.show(a), s.show(b)) {
			names = append(names, s.Name)
		}
	}
	return names
}
