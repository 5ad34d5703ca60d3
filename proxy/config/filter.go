package config

import (
	"errors"

	"go.yaml.in/yaml/v4"
)

// Filter is something that a route adds to the way of its requests. What its
// options mean is for the filter to say, by Decode.
type Filter struct {
	Name string
	at   place
	node *yaml.Node // nil: no options
}

// readFilters takes a list of names, each with its options below it or without.
func (f *file) readFilters(in pair, s *section) {
	n := behind(in.val)
	if n.Kind != yaml.SequenceNode {
		f.add(in.at, "", "%s, want a list: a - before each filter", kindName(n))
		return
	}
	for i, item := range n.Content {
		at := in.at.item(i, item.Line)
		if item := behind(item); item.Kind == yaml.ScalarNode {
			s.filters = append(s.filters, Filter{Name: item.Value, at: at.under(item.Value, item.Line)})
			continue
		}
		pairs := f.pairs(item, at)
		if len(pairs) != 1 {
			f.add(at, "", "has %d names, want one filter with its options below it: - name: {…}", len(pairs))
			continue
		}
		s.filters = append(s.filters, Filter{pairs[0].key, pairs[0].at, behind(pairs[0].val)})
	}
}

// From is where the filter stands, for messages.
func (f *Filter) From() string { return f.at.String() }

// Decode fills a struct, by its yaml tags, with the filter's options. Those
// that it has no field for, and values of other types, are mistakes; so is
// whatever the caller finds, as Mistake has it.
func (f *Filter) Decode(into any) error {
	if f.node == nil || f.node.Tag == "!!null" {
		return nil
	}
	err := f.node.Load(into, yaml.WithKnownFields())
	if err == nil {
		return nil
	}
	return f.mistakes(err)
}

// Mistake is one about the filter's options.
func (f *Filter) Mistake(value, why string) error {
	return Mistakes{{From: f.From(), Value: value, Why: why}}
}

func (f *Filter) mistakes(err error) error {
	var found *yaml.LoadErrors
	if !errors.As(err, &found) {
		return f.Mistake("", err.Error())
	}
	var all Mistakes
	for _, e := range found.Errors {
		at := f.at
		at.line = max(e.Mark.Line, at.line)
		all = append(all, Mistake{From: at.String(), Why: e.Message})
	}
	return all
}
