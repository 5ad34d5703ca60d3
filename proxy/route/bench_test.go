package route

import (
	"fmt"
	"testing"
)

// many are n rules as a big site has them: half on hosts of their own, half
// below one host's path, and a regular expression for each twentieth.
func many(n int) (rules []Rule) {
	for i := range n {
		switch {
		case i%20 == 19:
			rules = append(rules, Rule{Host: []string{"big.example.org"}, Path: []string{fmt.Sprintf(`~^/app%d/.*\.css$`, i)}})
		case i%2 == 0:
			rules = append(rules, Rule{Host: []string{fmt.Sprintf("host%d.example.org", i)}})
		default:
			rules = append(rules, Rule{Host: []string{"big.example.org"}, Path: []string{fmt.Sprintf("/app%d/*", i)}})
		}
	}
	return append(rules, Rule{Path: []string{"/*"}})
}

var asked = []struct{ name, request string }{
	{"host", "GET host8.example.org/a/b/c?d=e"},
	{"prefix", "GET big.example.org/app7/a/b?d=e"},
	{"default", "GET other.example.com/a/b?d=e"},
	{"encoded", "GET big.example.org/app7/a%20b?d=e"},
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{10, 100, 10_000} {
		tab := table(b, many(n))
		for _, a := range asked {
			q := request(b, a.request)
			b.Run(fmt.Sprintf("%s/%d", a.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					tab.Find(q)
				}
			})
		}
	}
}

// What a request passes on its way through the trees is a node for each label
// and segment of its own. The time is for the benchmark; this is why it does
// not grow: nowhere on the way is there a list of the rules.
func TestMoreRulesAreNoMoreWork(t *testing.T) {
	longest := 0
	look := func(n *node[entries]) { longest = max(longest, len(n.here), len(n.below), len(n.exprs)) }
	tab := table(t, many(10_000))
	tab.any.paths.root.each(look)
	tab.hosts.root.each(func(n *node[*site]) {
		for _, s := range []*site{n.here, n.below} {
			if s != nil {
				s.paths.root.each(look)
			}
		}
	})
	if longest != 1 {
		t.Errorf("somewhere %d rules are asked in turn, want 1", longest)
	}
}
