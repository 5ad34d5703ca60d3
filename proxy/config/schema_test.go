package config

import (
	"os"
	"testing"
)

// The schema that is shipped, for editors to be pointed to, is that of the
// table.
func TestTheShippedSchemaIsCurrent(t *testing.T) {
	const file = "schema.json"
	want := string(Schema())
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(file); string(got) != want {
		t.Errorf("%s is not what the table says; go test ./proxy/config -run Schema -update writes it", file)
	}
}

// A scope of a setting that is no more would hide that of another name.
func TestScopesAreOfSettings(t *testing.T) {
	for _, names := range [][]string{perPool, perRoute} {
		for _, name := range names {
			if Lookup(name) == nil {
				t.Errorf("%s: no such setting", name)
			}
		}
	}
}
