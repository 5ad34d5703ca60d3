package route

import (
	"errors"
	"slices"
	"strings"
)

// compiled is a rule, read.
type compiled struct {
	hosts []string // as names are looked up, perhaps after "*."; "" for any
	paths []path
	when  *conditions
}

// path is a word about paths, and where it hangs.
type path struct {
	word     string   // in one spelling, for comparison
	segments []string // of an expression: those that every path begins with that it fits
	below    bool
	expr     *expression
}

// reader reads one rule, and notes what is wrong with it.
type reader struct {
	compiled
	rule int
	errs Errors
}

func read(i int, r *Rule) (*compiled, Errors) {
	x := reader{rule: i}
	x.readHosts(r.Host)
	x.readPaths(r.Path)
	if r.count() > 0 {
		x.when = &conditions{methods: r.Method}
		x.readConditions(r)
	}
	return &x.compiled, x.errs
}

func (x *reader) note(part string, at int, word string, err error) {
	if err != nil {
		x.errs = append(x.errs, Error{Rule: x.rule, Part: part, At: at, Word: word, Other: None, Why: err.Error()})
	}
}

var errTwice = errors.New("given twice, want it once")

func (x *reader) readHosts(words []string) {
	for n, word := range words {
		host, err := readHost(word)
		if err == nil && slices.Contains(x.hosts, host) {
			err = errTwice
		}
		x.note("host", n, word, err)
		x.hosts = append(x.hosts, host)
	}
	if len(words) == 0 {
		x.hosts = []string{""}
	}
}

func (x *reader) readPaths(words []string) {
	for n, word := range words {
		p, err := readPath(word)
		if err == nil && slices.ContainsFunc(x.paths, func(o path) bool { return o.word == p.word }) {
			err = errTwice
		}
		x.note("path", n, word, err)
		x.paths = append(x.paths, p)
	}
	if len(words) == 0 {
		x.paths = []path{{word: "/*", below: true}}
	}
}

func (x *reader) readConditions(r *Rule) {
	for n, word := range r.Method {
		x.note("method", n, word, checkMethod(word))
	}
	for n, f := range r.Header {
		h, err := readField(f)
		if x.note("header", n, f.Value, err); err == nil && !isToken(f.Name) {
			x.note("header", n, f.Name, errors.New("no header field can be called that"))
		}
		h.name = strings.ToLower(h.name)
		x.when.header = append(x.when.header, h)
	}
	for n, f := range r.Query {
		p, err := readField(f)
		x.note("query", n, f.Value, err)
		x.when.query = append(x.when.query, p)
	}
}
