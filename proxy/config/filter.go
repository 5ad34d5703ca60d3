package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Filter is something that a route adds to the way of its requests. What its
// options mean is for the filter to say, by Decode.
type Filter struct {
	Name  string
	Redis bool // there is one, for all nodes
	at    place
	node  *yaml.Node // nil: no options
	open  bool       // everybody can read the file
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
			s.filters = append(s.filters, Filter{Name: item.Value, at: at.under(item.Value, item.Line), open: f.open != 0})
			continue
		}
		before := len(f.wrong)
		pairs := f.pairs(item, at)
		if len(f.wrong) > before {
			continue
		}
		if len(pairs) != 1 {
			f.add(at, "", "has %d names, want one filter with its options below it: - name: {…}", len(pairs))
			continue
		}
		s.filters = append(s.filters, Filter{Name: pairs[0].key, at: pairs[0].at, node: behind(pairs[0].val), open: f.open != 0})
	}
}

// checkFilters has others look at the routes' filters.
func checkFilters(c *Config, checks []func(*Filter) error) (all Mistakes) {
	for i := range c.Routes {
		for j := range c.Routes[i].Filters {
			for _, check := range checks {
				f := &c.Routes[i].Filters[j]
				f.Redis = len(c.Cache.Redis.Addrs) > 0
				err := check(f)
				if found, ok := err.(Mistakes); ok {
					all = append(all, found...)
				} else if err != nil {
					all = append(all, Mistake{From: f.From(), Why: err.Error()})
				}
			}
		}
	}
	return all
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

// Secret is a mistake if everybody on the machine can read the file, in which
// the filter has an option that is secret.
func (f *Filter) Secret(option string) error {
	if !f.open {
		return nil
	}
	return f.Mistake("", fmt.Sprintf("%s is secret, and everybody on this machine can read the file: want chmod 600 %s", option, f.at.file))
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
		all = append(all, Mistake{From: at.String(), Why: inOurWords(e.Message)})
	}
	return all
}

var (
	noField   = regexp.MustCompile(`^field (.*) not found in type `)
	otherType = regexp.MustCompile("(?s)^cannot construct .* into (\\S+)$")
)

// typeNames are what an operator calls them.
var typeNames = map[string]string{
	"int":           "a whole number",
	"bool":          "true or false",
	"string":        "a word",
	"[]string":      "a list",
	"time.Duration": "a duration, such as 10s",
}

// inOurWords leaves the value out, which may be a secret.
func inOurWords(message string) string {
	if m := noField.FindStringSubmatch(message); m != nil {
		return "no such option: " + m[1]
	}
	if m := otherType.FindStringSubmatch(message); m != nil {
		return "an option is of another type, want " + cmp.Or(typeNames[m[1]], m[1])
	}
	return message
}

// show is the filter in one line. Its options may hold secrets, which only the
// filter could tell: what is shown is their names.
func (f *Filter) show() string {
	if f.node == nil || f.node.Kind != yaml.MappingNode {
		return scalar(f.Name)
	}
	var names []string
	for i := 0; i+1 < len(f.node.Content); i += 2 {
		names = append(names, scalar(f.node.Content[i].Value)+": (hidden)")
	}
	return scalar(f.Name) + ": {" + strings.Join(names, ", ") + "}"
}
