package route

import "multiserver/proxy/wire"

// tree has a node for each name, below that for the names before it. A path of
// 60 KiB costs no more than the longest rule: what has no node ends the walk.
type tree[T any] struct {
	root node[T]
}

type node[T any] struct {
	up    *node[T]
	kids  map[string]*node[T]
	here  T       // for exactly this
	below T       // for what is below; with paths for this, too
	exprs entries // of paths that begin with this and a slash, in the order of their rank
}

func (n *node[T]) kid(name string) *node[T] {
	k := n.kids[name]
	if k == nil {
		if n.kids == nil {
			n.kids = map[string]*node[T]{}
		}
		k = &node[T]{up: n}
		n.kids[name] = k
	}
	return k
}

// entry is a path of a rule.
type entry struct {
	rule int
	rank int         // among those of its place; smaller first
	when *conditions // nil: none
	expr *expression // nil: the place in the tree says all
}

// entries are in the order of their rank.
type entries []entry

// first is the rule of the first whose conditions hold, or None.
func (e entries) first(q *wire.Request) int {
	for i := range e {
		if e[i].when.hold(q) {
			return e[i].rule
		}
	}
	return None
}

// expressions is the rule of the first that fits, of those here and above.
func (n *node[T]) expressions(path []byte, q *wire.Request) int {
	found, rank := None, 0
	for ; n != nil; n = n.up {
		for i := range n.exprs {
			e := &n.exprs[i]
			if found >= 0 && e.rank > rank {
				break
			}
			if e.when.hold(q) && e.expr.Match(path) {
				found, rank = e.rule, e.rank
				break
			}
		}
	}
	return found
}
