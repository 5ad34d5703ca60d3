package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Raw is what the operator wrote, by the setting's name. What is not in it
// takes its default.
type Raw map[string]Given

// Given is one setting as it was written.
type Given struct {
	From  string   // how the operator calls the place: "--timeout", "MULTISERVER_TIMEOUT"
	Words []string // one, or several where Setting.Many

	at []string // the place of each word that is one as it stands; nil: they are split at commas
}

// list is the words of a setting that has many.
func (g Given) list() []string {
	if g.at != nil {
		return g.Words
	}
	return split(g.Words)
}

// place is that of a word of list.
func (g Given) place(i int) string {
	if g.at != nil {
		return g.at[i]
	}
	return g.From
}

// Add notes a word that came from the given place; what came from another
// place before is forgotten.
func (r Raw) Add(name, from, word string) {
	g := r[name]
	if g.From != from {
		g = Given{From: from}
	}
	g.Words = append(g.Words, word)
	r[name] = g
}

// AddEnv fills in from the environment what r does not have yet. A variable
// that is empty counts as not set. Unknown variables that begin like ours are
// let be: Kubernetes makes such for a service called multiserver.
func (r Raw) AddEnv(lookup func(name string) (string, bool)) {
	for i := range Settings {
		s := &Settings[i]
		word, ok := lookup(s.Env())
		if _, given := r[s.Name]; ok && word != "" && !given {
			r.Add(s.Name, s.Env(), word)
		}
	}
}

func envName(name string) string {
	return "MULTISERVER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// Mistake is one thing to put right.
type Mistake struct {
	From  string // "--upstream"
	Value string // as it was written; "" with nothing to show
	Why   string // what is wrong with it, and the way out
}

func (m Mistake) Error() string {
	if m.Value == "" {
		return m.From + ": " + m.Why
	}
	return fmt.Sprintf("%s %q: %s", m.From, m.Value, m.Why)
}

// Mistakes is all of them at once, a line each.
type Mistakes []Mistake

func (m Mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].Error()
	}
	return strings.Join(lines, "\n")
}

// Parse checks what the operator wrote, in the file that raw names as well. The
// error, if any, is of type Mistakes and has everything that is wrong. Each of
// filters is asked about every filter of a route; its errors are those that a
// Filter makes.
func Parse(raw Raw, filters ...func(*Filter) error) (*Config, error) {
	c, mistakes, f := new(Config), Mistakes(nil), new(file)
	if g, given := raw["config"]; given && len(g.Words) == 1 && g.Words[0] != none {
		raw = maps.Clone(raw)
		f = readFile(g.Words[0], raw)
	}
	for i := range Settings {
		mistakes = append(mistakes, Settings[i].parse(c, raw)...)
	}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		if Lookup(name) == nil {
			mistakes = append(mistakes, Mistake{From: raw[name].From, Why: "no such setting"})
		}
	}
	mistakes = append(mistakes, together(c, raw, f)...)
	mistakes = append(mistakes, group(c, raw, f)...)
	mistakes = append(mistakes, checkFilters(c, filters)...)
	f.sort(mistakes)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return c, nil
}

// Lookup finds a row by its name; nil if there is none.
func Lookup(name string) *Setting {
	for i := range Settings {
		if Settings[i].Name == name {
			return &Settings[i]
		}
	}
	return nil
}

// parse puts the setting's words, or its default, into c.
func (s *Setting) parse(c *Config, raw Raw) (mistakes Mistakes) {
	g, given := raw[s.Name]
	if !given {
		s.fallBack(c)
		return nil
	}
	words := g.Words
	if s.Many {
		words = g.list()
	} else if len(words) > 1 {
		return Mistakes{{From: g.From, Why: fmt.Sprintf("given %d times, want one", len(words))}}
	}
	for i, word := range words {
		if err := s.readOne(c, word); err != nil {
			mistakes = append(mistakes, Mistake{From: g.place(i), Value: s.quotable(word), Why: err.Error()})
		}
	}
	return mistakes
}

// fallBack takes the default.
func (s *Setting) fallBack(c *Config) {
	if s.Default == "" {
		return
	}
	words := []string{s.Default}
	if s.Many {
		words = split(words)
	}
	for _, word := range words {
		if err := s.read(c, word); err != nil {
			panic("BUG: default of --" + s.Name + ": " + err.Error())
		}
	}
}

func (s *Setting) readOne(c *Config, word string) error {
	if word == "" {
		return fmt.Errorf("empty, want %s", s.Example())
	}
	if strings.ContainsFunc(word, unicode.IsControl) {
		return errors.New("has a control character")
	}
	return s.read(c, word)
}

// Example is how the setting could look, for a line that shows the way out.
func (s *Setting) Example() string {
	switch {
	case s.Name == "upstream":
		return "--upstream http://127.0.0.1:3000"
	case s.Secret || s.Default == "" || s.Default == off || s.Default == none:
		return "--" + s.Name + " " + s.Arg
	}
	return "--" + s.Name + " " + s.Default
}

// quotable is word as a message may show it.
func (s *Setting) quotable(word string) string {
	if s.Secret {
		return ""
	}
	return withoutUserinfo(word)
}

// split takes "a,b" for two words. An empty word stays, to be complained
// about, only where it is the whole value; "a,b," has two.
func split(words []string) (out []string) {
	for _, w := range words {
		n := len(out)
		for part := range strings.SplitSeq(w, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
		if len(out) == n {
			out = append(out, "")
		}
	}
	return out
}
