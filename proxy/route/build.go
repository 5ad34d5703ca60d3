package route

import (
	"cmp"
	"slices"
	"strings"
)

// New compiles the rules. An error is of type Errors, and has everything that
// is wrong with them.
func New(rules []Rule) (*Table, error) {
	var all Errors
	b := builder{table: new(Table), taken: map[string]int{}}
	for i := range rules {
		c, errs := read(i, &rules[i])
		if all = append(all, errs...); len(errs) > 0 {
			continue
		}
		all = append(all, b.add(i, &rules[i], c)...)
	}
	if len(all) > 0 {
		return nil, all
	}
	b.order(rules)
	return b.table, nil
}

type builder struct {
	table *Table
	sites []*site
	taken map[string]int // the rule that has a host, path and conditions; see claim
}

// add puts each path of the rule under each of its hosts.
func (b *builder) add(i int, r *Rule, c *compiled) (errs Errors) {
	key := r.conditions()
	for _, host := range c.hosts {
		s := b.site(host)
		for p := range c.paths {
			e := entry{rule: i, when: c.when, expr: c.paths[p].expr}
			if err := b.claim(i, host, c.paths[p].word, key); err != nil {
				errs = append(errs, *err)
				continue
			}
			c.paths[p].put(s, e)
		}
	}
	return errs
}

// site finds or makes the paths of a host as read gives it.
func (b *builder) site(host string) *site {
	at := &b.table.any
	if host != "" {
		n := &b.table.hosts.root
		name, wild := strings.CutPrefix(host, "*.")
		labels := strings.Split(name, ".")
		for _, label := range slices.Backward(labels) {
			n = n.kid(label)
		}
		if at = &n.here; wild {
			at = &n.below
		}
	}
	if *at == nil {
		*at = new(site)
		b.sites = append(b.sites, *at)
	}
	return *at
}

// put hangs the entry where its path is in the tree.
func (p *path) put(s *site, e entry) {
	n := &s.paths.root
	for _, segment := range p.segments {
		n = n.kid(segment)
	}
	switch {
	case p.expr != nil:
		n.exprs = append(n.exprs, e)
	case p.below:
		n.below = append(n.below, e)
	default:
		n.here = append(n.here, e)
	}
}

// order sorts what stands in one place: more conditions first, then as the
// rules stand.
func (b *builder) order(rules []Rule) {
	ranks := make([]int, len(rules))
	byRank := make([]int, len(rules))
	for i := range byRank {
		byRank[i] = i
	}
	slices.SortStableFunc(byRank, func(x, y int) int { return cmp.Compare(rules[y].count(), rules[x].count()) })
	for rank, i := range byRank {
		ranks[i] = rank
	}
	for _, s := range b.sites {
		s.paths.root.each(func(n *node[entries]) {
			for _, list := range []entries{n.here, n.below, n.exprs} {
				for i := range list {
					list[i].rank = ranks[list[i].rule]
				}
				slices.SortStableFunc(list, func(x, y entry) int { return cmp.Compare(x.rank, y.rank) })
			}
		})
	}
}

func (n *node[T]) each(f func(*node[T])) {
	f(n)
	for _, k := range n.kids {
		k.each(f)
	}
}
