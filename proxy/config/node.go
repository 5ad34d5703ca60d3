package config

import (
	"strings"

	"go.yaml.in/yaml/v4"
)

// pair is a key of a mapping, and what stands behind it.
type pair struct {
	key string
	at  place
	val *yaml.Node
}

const (
	deepest    = 8       // merges and aliases within aliases, which may be circular
	mostMerges = 100_000 // of a file: a merge of ten merges of ten … is a bomb
)

// behind is the node that an alias means.
func behind(n *yaml.Node) *yaml.Node {
	for range deepest {
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n
}

// pairs are those of a mapping, what is merged into it (<<) included.
func (f *file) pairs(n *yaml.Node, at place) []pair { return f.merged(n, at, deepest) }

func (f *file) merged(n *yaml.Node, at place, depth int) (all []pair) {
	n = behind(n)
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return nil // "pools:" and nothing below
	case n.Kind != yaml.MappingNode:
		f.add(at, brief(n), "%s, want name: value, on lines of their own", kindName(n))
		return nil
	case f.merges > mostMerges:
		return nil
	case depth == 0, f.merges == mostMerges:
		f.merges++
		f.add(at, "", "merges within merges, want fewer")
		return nil
	}
	seen := map[string]int{}
	var inherited []pair
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := behind(n.Content[i]), n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			f.add(place{at.file, k.Line, at.path}, "", "%s as a name, want a word", kindName(k))
			continue
		}
		if k.Tag == "!!merge" || k.Value == "<<" && k.Style == 0 {
			for _, from := range items(v) {
				f.merges++
				inherited = append(inherited, f.merged(from, at, depth-1)...)
			}
			continue
		}
		p := pair{k.Value, at.under(k.Value, n.Content[i].Line), v}
		if line, twice := seen[p.key]; twice {
			f.add(p.at, "", "given twice, before in line %d, want it once", line)
			continue
		}
		seen[p.key] = p.at.line
		all = append(all, p)
	}
	for _, p := range inherited {
		if _, own := seen[p.key]; !own {
			seen[p.key] = p.at.line
			all = append(all, p)
		}
	}
	return all
}

// items are the nodes of a sequence; a node that is none is one.
func items(n *yaml.Node) []*yaml.Node {
	if n := behind(n); n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return []*yaml.Node{n}
}

// words are the scalars behind a key: one, or with many also a list of them,
// each with its place.
func (f *file) words(p pair, many bool) (words []string, at []place) {
	n := behind(p.val)
	if n.Kind == yaml.SequenceNode && !many {
		f.add(p.at, "", "a list, want one value")
		return nil, nil
	}
	for i, item := range items(n) {
		here := p.at
		if n.Kind == yaml.SequenceNode {
			here = p.at.item(i, item.Line)
		}
		if word, ok := f.word(item, here); ok {
			words, at = append(words, word), append(at, here)
		}
	}
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		f.add(p.at, "", "an empty list, want a value, or none of it at all")
	}
	return words, at
}

// word is a scalar as it is written: 007, yes and 1e3 are what they look like,
// for each setting reads its own words.
func (f *file) word(n *yaml.Node, at place) (string, bool) {
	switch n = behind(n); {
	case n.Kind != yaml.ScalarNode:
		f.add(at, "", "%s, want a value", kindName(n))
		return "", false
	case n.Tag == "!!null":
		f.add(at, "", "nothing, want a value, or the line left out")
		return "", false
	}
	return n.Value, true
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias of an alias"
	}
	return "a single value"
}

// brief is what a message may show of a node.
func brief(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && len(n.Value) <= 40 {
		return withoutUserinfo(n.Value)
	}
	return ""
}

// unknown complains of a key, and says which one may have been meant.
func (f *file) unknown(p pair, what string, names []string) {
	if near := nearest(p.key, names); near != "" {
		f.add(p.at, "", "no such %s, did you mean %s?", what, near)
		return
	}
	f.add(p.at, "", "no such %s (see multiserver help)", what)
}

// nearest is the name that is fewest letters away from word; "" if all are far.
func nearest(word string, names []string) string {
	best, least := "", 2
	switch {
	case len(word) > 8:
		least = 4
	case len(word) > 3:
		least = 3
	}
	word = strings.ToLower(strings.ReplaceAll(word, "_", "-"))
	for _, name := range names {
		if d := distance(word, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is how many letters must be put in, left out or replaced.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := before
			if a[i] != b[j] {
				cost = 1 + min(before, above, row[j])
			}
			row[j+1], before = cost, above
		}
	}
	return row[len(b)]
}
