package route

import (
	"slices"
	"strings"
)

// Take is a path on a host that a rule takes, under its conditions.
type Take struct {
	Rule int
	Host string // "" for any
	Path string
}

// Order is what the rules take, those first that come first: a request goes by
// the first that it fits. It is for people and for tests; Find does not ask one
// after the other. The rules are such that New takes them.
func Order(rules []Rule) []Take {
	var all []Take
	var rank [][5]int
	for i := range rules {
		c, _ := read(i, &rules[i])
		for _, host := range c.hosts {
			for _, p := range c.paths {
				kind, depth := p.score()
				all = append(all, Take{i, host, p.word})
				rank = append(rank, [5]int{hostScore(host), kind, depth, rules[i].count(), -i})
			}
		}
	}
	at := make([]int, len(all))
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(x, y int) int { return slices.Compare(rank[y][:], rank[x][:]) })
	out := make([]Take, len(all))
	for i, j := range at {
		out[i] = all[j]
	}
	return out
}

// hostScore is greater the more a host says.
func hostScore(host string) int {
	domain, wild := strings.CutPrefix(host, "*.")
	switch {
	case host == "":
		return 0
	case wild:
		return 1 + strings.Count(domain, ".")
	}
	return maxHost // more than any name has labels
}

func (p *path) score() (kind, depth int) {
	switch {
	case p.expr != nil:
		return 2, 0
	case p.below:
		return 1, strings.Count(p.word, "/")
	}
	return 3, 0
}
