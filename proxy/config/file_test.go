package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestGoldenFiles: a file in, the effective configuration and where requests
// go out, or all mistakes.
func TestGoldenFiles(t *testing.T) {
	files, _ := filepath.Glob("testdata/file/*.yaml")
	if len(files) == 0 {
		t.Fatal("no golden files")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			golden, err := filepath.Abs(strings.TrimSuffix(file, ".yaml") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			want, _ := os.ReadFile(golden)
			got := fileOutcome(t, read(t, file))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parseFile parses text as it would be in app.yaml, which all may read, with
// other arguments.
func parseFile(t *testing.T, text, args string) (*Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("app.yaml", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod("app.yaml", 0o644); err != nil {
		t.Fatal(err)
	}
	return Parse(rawOf("--config app.yaml\n" + args))
}

// fileOutcome leaves out what is as it is by default.
func fileOutcome(t *testing.T, text string) string {
	c, err := parseFile(t, text, "")
	if err != nil {
		return err.Error() + "\n"
	}
	usual, err := parseFile(t, "upstream: http://usual", "")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for line := range strings.Lines(usual.YAML()) {
		said[line] = true
	}
	var b strings.Builder
	for line := range strings.Lines(c.YAML() + "\n" + c.Explain()) {
		if !said[line] {
			b.WriteString(line)
		}
	}
	return b.String()
}

// The effective configuration, given back as a file, is the same, and prints
// the same.
func TestYAMLReadsBackAsTheSameConfig(t *testing.T) {
	files, _ := filepath.Glob("testdata/file/*.yaml")
	texts := map[string]string{}
	for _, file := range files {
		texts[file] = read(t, file)
	}
	for file, text := range texts {
		c, err := parseFile(t, text, "")
		if err != nil {
			continue
		}
		again, err := parseFile(t, c.YAML(), "")
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got, want := again.YAML(), c.YAML(); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
		}
		if forget(c); !reflect.DeepEqual(forget(c), forget(again)) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", file, again, c)
		}
	}
}

// forget removes what is not in what is printed: where filters stand, and their
// options.
func forget(c *Config) *Config {
	for i := range c.Routes {
		for j := range c.Routes[i].Filters {
			c.Routes[i].Filters[j] = Filter{Name: c.Routes[i].Filters[j].Name}
		}
	}
	return c
}

func TestFlagBeatsEnvironmentBeatsFile(t *testing.T) {
	c, err := parseFile(t, "upstream: http://a\ntimeout: 1s\nidle-timeout: 1s\nheader-timeout: 1s\n",
		"--timeout 3s\nMULTISERVER_TIMEOUT=2s\nMULTISERVER_IDLE_TIMEOUT=2s\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Response != 3*time.Second || c.Idle != 2*time.Second || c.Head != time.Second {
		t.Errorf("%v, %v, %v, want 3s, 2s, 1s", c.Response, c.Idle, c.Head)
	}
}

// What a pool or a route says is more than what is said for all, wherever.
func TestAPoolAndARouteBeatFlags(t *testing.T) {
	c, err := parseFile(t, "pools: {a: {upstream: http://a, connect-timeout: 1s}, b: {upstream: http://b}}\n"+
		"routes: [{pool: a, timeout: 1s}, {pool: b, match: {path: /b}}]", "--timeout 2s\n--connect-timeout 2s\n")
	if err != nil {
		t.Fatal(err)
	}
	f := func(got, want time.Duration) {
		t.Helper()
		if got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	f(c.Pools[0].Connect, time.Second)
	f(c.Pools[1].Connect, 2*time.Second)
	f(c.Routes[0].Response, time.Second)
	f(c.Routes[1].Response, 2*time.Second)
}

func TestAFileThatCannotBeRead(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		_, err := Parse(rawOf("--config " + name))
		if err == nil || !strings.HasPrefix(err.Error(), `--config "`+name+`": `+want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	t.Chdir(t.TempDir())
	f("nowhere.yaml", "no such file")
	f(".", "is a directory")
	large, err := os.Create("large.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	if err := large.Truncate(largestFile + 1); err != nil {
		t.Skip(err)
	}
	f("large.yaml", "has")
}

func TestASecretFileMayHaveSecrets(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("app.yaml", []byte("upstream: http://a\nadmin: :1\nadmin-token: s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Parse(rawOf("--config app.yaml"))
	if err != nil || c.AdminToken != "s3cret" {
		t.Fatalf("%v", err)
	}
	if strings.Contains(c.YAML(), "s3cret") {
		t.Errorf("shows the secret:\n%s", c.YAML())
	}
}

func TestFiltersReadTheirOptions(t *testing.T) {
	type options struct {
		To   string        `yaml:"to"`
		Wait time.Duration `yaml:"wait"`
		Code int           `yaml:"code"`
	}
	check := func(f *Filter) error {
		o := options{Code: 308}
		switch {
		case f.Name != "redirect":
			return errors.New("no such filter")
		case f.Decode(&o) != nil:
			return f.Decode(&o)
		case o.To == "":
			return f.Mistake("", "missing to")
		}
		return nil
	}
	f := func(filters string, want ...string) {
		t.Helper()
		t.Chdir(t.TempDir())
		if err := os.WriteFile("app.yaml", []byte("upstream: http://a\nroutes:\n  - filters:\n"+filters), 0o600); err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err := Parse(rawOf("--config app.yaml"), check); err != nil {
			got = err.Error()
		}
		if got != strings.Join(want, "\n") {
			t.Errorf("%s: got\n%s\nwant\n%s", filters, got, strings.Join(want, "\n"))
		}
	}
	f("    - redirect: {to: /x, wait: 3s, code: 301}\n")
	f("    - redirect\n", "app.yaml:4: routes[0].filters[0].redirect: missing to")
	f("    - redirect: \n    - x: {a: b}\n", "app.yaml:4: routes[0].filters[0].redirect: missing to", "app.yaml:5: routes[0].filters[1].x: no such filter")
	f("    - redirect:\n        to: /x\n        code: abc\n        wide: 1\n        wait: x\n",
		"app.yaml:6: routes[0].filters[0].redirect: an option is of another type, want a whole number",
		"app.yaml:7: routes[0].filters[0].redirect: no such option: wide",
		"app.yaml:8: routes[0].filters[0].redirect: an option is of another type, want a duration, such as 10s")
}

func FuzzFile(f *testing.F) {
	files, _ := filepath.Glob("testdata/file/*.yaml")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		f.Add(text)
	}
	name := filepath.Join(f.TempDir(), "app.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Skip(err)
		}
		c, err := Parse(rawOf("--config " + name))
		var mistakes Mistakes
		if err != nil && !errors.As(err, &mistakes) || err == nil && (len(c.Pools) == 0 || len(c.Routes) == 0) {
			t.Fatalf("neither mistakes nor pools and routes: %v", err)
		}
		if err == nil {
			_ = c.YAML() + c.Explain()
		}
	})
}
