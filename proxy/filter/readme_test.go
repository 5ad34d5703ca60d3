package filter

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The README has an example of each filter, in the table's order, that can be
// made.
func TestReadmeShowsEveryFilter(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Filters\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var shown []string
	for line := range strings.Lines(section) {
		example, ok := strings.CutPrefix(line, "| `")
		if !ok {
			continue
		}
		example, _, _ = strings.Cut(example, "` |")
		var by map[string]yaml.Node
		if err := yaml.Unmarshal([]byte(example), &by); err != nil || len(by) != 1 {
			t.Errorf("%s: %v, want a filter", example, err)
		}
		for name, n := range by {
			shown = append(shown, name)
			if _, err := New(name, Options{Decode: func(into any) error { return n.Load(into, yaml.WithKnownFields()) }}); err != nil {
				t.Errorf("%s: %v", example, err)
			}
		}
	}
	if got, want := strings.Join(shown, " "), strings.Join(Names(), " "); got != want {
		t.Errorf("README.md shows %s, want %s", got, want)
	}
}
