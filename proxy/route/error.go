package route

import (
	"fmt"
	"strings"
)

// Error is one thing that is wrong with a rule.
type Error struct {
	Rule  int    // its index
	Part  string // host, path, method, header or query; "": the rule as a whole
	At    int    // the index in the part's list
	Word  string // as it was given
	Other int    // with Part "": the rule that takes the same requests
	Why   string // what is wrong, and the way out
}

func (e *Error) Error() string {
	return fmt.Sprintf("rule %d: %s %q: %s", e.Rule, e.Part, e.Word, e.Why)
}

// Errors is all of them at once.
type Errors []Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i := range e {
		lines[i] = e[i].Error()
	}
	return strings.Join(lines, "\n")
}
