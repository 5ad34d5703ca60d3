package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

const appFile = `pools:
  app: {upstream: http://127.0.0.1:3001}
  static: {upstream: http://127.0.0.1:3002}
routes:
  - match: {path: /static/*}
    pool: static
  - pool: app
    timeout: 5s
`

// in runs a command line in a directory that has app.yaml.
func in(t *testing.T, text string, args ...string) (out string, err error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("app.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	err = newLine(args, &b).run()
	return b.String(), err
}

func TestTheEffectiveConfigurationOfAFile(t *testing.T) {
	f := func(args string, want, never string) {
		t.Helper()
		out, err := in(t, appFile, strings.Fields(args)...)
		if err != nil || !strings.Contains(out, want) || never != "" && strings.Contains(out, never) {
			t.Errorf("%s: %v\n%s\nwant %q and no %q", args, err, out, want, never)
		}
	}
	f("run --print-config --config app.yaml", "\ntimeout: 1m\n", "# A request")
	f("--config app.yaml --print-config --timeout 7s", "\ntimeout: 7s\n", "")
	f("run --config app.yaml --print-config", "    timeout: 5s\n", "")
	f("check --config app.yaml", "#   */static/* -> route-1: pool static\n#   */* -> route-2: pool app\n", "")
	f("run --print-config --upstream http://a", "--upstream http://a\n", "routes")
}

func TestMistakesInFlagsAndFileComeAtOnce(t *testing.T) {
	_, err := in(t, appFile+"    timeuot: 3s\n", "check", "--config", "app.yaml", "--tiemout", "3s", "stray", "--idle-timeout", "3")
	want := `--tiemout: unknown flag, did you mean --timeout?
"stray": unexpected argument, every setting is a flag (see multiserver help)
--idle-timeout "3": missing unit, want 3s or 3ms
app.yaml:9: routes[1].timeuot: no such setting of a route, did you mean timeout?`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestSchemaIsJSON(t *testing.T) {
	out, err := in(t, "", "schema")
	if err != nil || !json.Valid([]byte(out)) {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := in(t, "", "schema", "x"); err == nil {
		t.Error("takes an argument")
	}
}

// The file in the README is what people paste first.
func TestTheREADMEsFileIsRight(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(readme), "\n```yaml\n")
	text, _, found := strings.Cut(text, "\n```\n")
	if out, err := in(t, text, "check", "--config", "app.yaml"); err != nil || !found || !strings.Contains(out, "route-3: pool web") {
		t.Errorf("%v\n%s", err, out)
	}
}
