package route

import (
	"fmt"
	"slices"
	"strings"
)

// claim notes that a rule takes a path on a host under conditions. Of two that
// take the very same, the later could never be reached there.
func (b *builder) claim(i int, host, path, conditions string) *Error {
	key := host + "\x00" + path + "\x00" + conditions
	first, taken := b.taken[key]
	if !taken {
		b.taken[key] = i
		return nil
	}
	return &Error{Rule: i, Word: host + path, Other: first,
		Why: "is taken by another route with the same conditions, want it in one of them, or a condition more"}
}

// conditions is the same text for rules that ask the same besides host and path.
func (r *Rule) conditions() string {
	methods := slices.Sorted(slices.Values(r.Method))
	fields := func(list []Field, fold bool) []string {
		var out []string
		for _, f := range list {
			if fold {
				f.Name = strings.ToLower(f.Name)
			}
			out = append(out, fmt.Sprintf("%q=%q", f.Name, f.Value))
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	return fmt.Sprint(slices.Compact(methods), fields(r.Header, true), fields(r.Query, false))
}
