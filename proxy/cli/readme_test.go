package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"multiserver/proxy/config"
)

// The README's table of flags is config's table. WRITE_README=1 writes it.
func TestReadmeListsEveryFlag(t *testing.T) {
	const path, begin, end = "../../README.md", "<!-- flags -->\n", "<!-- /flags -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(page), begin)
	_, after, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("%s: no %s … %s", path, strings.TrimSpace(begin), end)
	}
	want := before + begin + flagTable() + end + after
	if want == string(page) {
		return
	}
	if os.Getenv("WRITE_README") == "" {
		t.Fatalf("%s: the table of flags is not what --help says; WRITE_README=1 go test ./proxy/cli -run Readme writes it", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func flagTable() string {
	var b strings.Builder
	b.WriteString("| flag | default | |\n|---|---|---|\n")
	for _, s := range config.Settings {
		flag, usage := "--"+s.Name, s.Usage
		if s.Arg != "" {
			flag += " " + s.Arg
		}
		if s.Many {
			usage += " (repeatable)"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", flag, s.Default, strings.ReplaceAll(usage, "|", `\|`))
	}
	return b.String()
}
