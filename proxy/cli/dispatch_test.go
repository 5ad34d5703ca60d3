package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// See dispatch: one template that is executed somewhere adds 15 MB.
func TestNoMethodsAreCalledByName(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"text/template.(*state).evalField": false, "multiserver/proxy/cli.Main": true} {
		if bytes.Contains(program, []byte(name)) != want {
			t.Errorf("%s is in the program: %v, want %v; go build -ldflags=-dumpdep tells who reaches it", name, !want, want)
		}
	}
}

func TestHelpIsAPageOfEachCommand(t *testing.T) {
	t.Parallel()
	f := func(args, first string) {
		t.Helper()
		got := run(t, nil, strings.Fields(args)...)
		if line, _, _ := strings.Cut(got.stdout, "\n"); got.code != exitClean || line != first || got.stderr != "" {
			t.Errorf("multiserver %s: exit code %d, %q %s, want %q", args, got.code, line, got.stderr, first)
		}
	}
	const app = "multiserver: run one web app as many"
	f("help", app)
	f("h", app)
	f("--help", app)
	f("-h check", app)
	f("--timeout 5s --help", app)
	f("help help", app)
	for _, name := range []string{"run", "check", "demo"} {
		f("help "+name, "usage: multiserver "+name+" [flags]")
		f(name+" --timeout 5 -h", "usage: multiserver "+name+" [flags]")
		f("--timeout 5 "+name+" --help", "usage: multiserver "+name+" [flags]")
	}
	f("help version", "usage: multiserver version")
	f("version -h", "usage: multiserver version")
	f("help completion", "usage: multiserver completion bash|zsh|fish")
	f("help purge", "usage: multiserver purge --admin ADDR URL… | --prefix URL | --tag TAG | --all [--soft]")
	f("purge http://a --help", "usage: multiserver purge --admin ADDR URL… | --prefix URL | --tag TAG | --all [--soft]")
	f("help publish", "usage: multiserver publish --admin ADDR CHANNEL [MESSAGE]")
	f("help upgrade", "usage: multiserver upgrade --pid-file FILE | --admin ADDR")
	f("help --generate-bash-completion", "run")
	f("--version --timeout 5", version())
	f("-v check", version())
}
