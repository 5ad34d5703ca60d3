package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// What stands in scripts/ for operators to copy is what the program takes.

func script(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "scripts", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheImageIsBuiltAsTheReadmeSays(t *testing.T) {
	file, ignored := script(t, "Dockerfile"), script(t, "Dockerfile.dockerignore")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*) -o (\S+) \.$`).FindStringSubmatch(file)
	if build == nil || !strings.Contains(string(readme), build[1]) {
		t.Errorf("the README has no %v", build)
	}
	f := func(line string) {
		t.Helper()
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(file) {
			t.Errorf("no line %s", line)
		}
	}
	f(`COPY --from=build ` + build[2] + ` /multiserver`)
	f(`ENTRYPOINT \["/multiserver"\]`)
	f(`USER [1-9][0-9]*:[1-9][0-9]*`)
	last := file[strings.LastIndex(file, "\nFROM "):]
	if !strings.HasPrefix(last, "\nFROM scratch\n") || strings.Contains(last, "\nRUN ") {
		t.Error("the image has more than the program in it")
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	wants := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	f(`FROM golang:` + regexp.QuoteMeta(wants[1]) + ` AS build`)
	if strings.Contains(ignored, "schema.json") {
		t.Error("the build needs what is left out")
	}
}

func TestTheComposeFileHasSettingsThatThereAre(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Command []string
			Build   struct{ Context, Dockerfile string }
		}
	}
	if err := yaml.Unmarshal([]byte(script(t, "compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	ours := file.Services["multiserver"]
	if ours.Build.Context != ".." || ours.Build.Dockerfile != "scripts/Dockerfile" {
		t.Errorf("built by %+v", ours.Build)
	}
	if got := run(t, nil, append([]string{"check"}, ours.Command...)...); got.code != exitClean {
		t.Errorf("check %v: %s", ours.Command, got.stderr)
	}
}

func TestTheUnitIsOneThatSystemdTakes(t *testing.T) {
	unit := script(t, "multiserver.service")
	for _, want := range []string{"Type=notify\n", "NotifyAccess=main\n", "KillMode=mixed\n", "ExecReload=/bin/kill -HUP $MAINPID\n"} {
		if !strings.Contains(unit, want) {
			t.Errorf("no %q", want)
		}
	}
	start := regexp.MustCompile(`(?m)^ExecStart=(\S+)(.*)$`).FindStringSubmatch(unit)
	dir := t.TempDir()
	file := filepath.Join(dir, "multiserver.yaml")
	write(t, file, "listen: \"fd:web\"\nupstream: http://127.0.0.1:3000\n")
	args := strings.Fields(strings.ReplaceAll(start[2], "/etc/multiserver/multiserver.yaml", file))
	if got := run(t, nil, append([]string{"check"}, args...)...); got.code != exitClean {
		t.Errorf("check %v: %s", args, got.stderr)
	}
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd-analyze to verify the units with")
	}
	for name, text := range map[string]string{"multiserver.service": strings.ReplaceAll(unit, start[1], binary), "multiserver.socket": script(t, "multiserver.socket")} {
		write(t, filepath.Join(dir, name), text)
	}
	out, err := exec.Command(tool, "verify", filepath.Join(dir, "multiserver.service"), filepath.Join(dir, "multiserver.socket")).CombinedOutput()
	if err != nil || strings.Contains(string(out), dir) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
