package config

import (
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what came out into testdata")

// TestGolden: arguments in, the effective configuration or all mistakes out.
// A file has arguments (--name value, --name, or VARIABLE=value), a line of
// dashes, and what must come.
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no golden files")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			args, want, _ := strings.Cut(string(text), "----\n")
			got := outcome(rawOf(args))
			if *update {
				if err := os.WriteFile(file, []byte(args+"----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func outcome(raw Raw) string {
	c, err := Parse(raw)
	if err != nil {
		return err.Error() + "\n"
	}
	return strings.Join(c.Lines(), "\n") + "\n"
}

// rawOf reads arguments the way the command line would.
func rawOf(args string) Raw {
	raw, env := Raw{}, map[string]string{}
	for line := range strings.Lines(args) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "--"); ok {
			name, word, hasWord := strings.Cut(name, " ")
			if s := Lookup(name); !hasWord && s != nil && s.Switch() {
				word = "true"
			}
			name, after, ok := strings.Cut(name, "=")
			if ok {
				word = after
			}
			raw.Add(name, "--"+name, word)
			continue
		}
		name, word, _ := strings.Cut(line, "=")
		env[name] = word
	}
	raw.AddEnv(func(name string) (string, bool) { word, ok := env[name]; return word, ok })
	return raw
}

// The effective configuration, given back, is the same: so it can be kept,
// compared, and pasted into a command line.
func TestLinesReadBackAreTheSameConfig(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		args, _, _ := strings.Cut(string(text), "----\n")
		c, err := Parse(rawOf(args))
		if err != nil {
			continue
		}
		lines := strings.Join(c.Lines(), "\n") + "\n"
		lines = strings.Replace(lines, "--admin-token (hidden)", "--admin-token "+c.AdminToken, 1)
		lines = strings.Replace(lines, "--sticky-key (hidden)", "--sticky-key "+c.Sticky.Key, 1)
		for _, key := range c.Session.Keys {
			lines = strings.Replace(lines, "--session-key (hidden)", "--session-key "+key, 1)
		}
		lines = strings.Replace(lines, "--session-sign (hidden)", "--session-sign "+c.Session.Sign, 1)
		lines = strings.Replace(lines, "--mongo "+withoutUserinfo(c.Session.Mongo), "--mongo "+c.Session.Mongo, 1)
		lines = strings.Replace(lines, "--redis "+withoutUserinfo(c.Cache.Redis.String()), "--redis "+c.Cache.Redis.String(), 1)
		again, err := Parse(rawOf(lines))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if !reflect.DeepEqual(c, again) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", file, again, c)
		}
	}
}

func TestParseFillsTheConfig(t *testing.T) {
	got, err := Parse(rawOf(`--upstream http://app:3000;weight=3
--upstream https://app.example
--upstream unix:/run/app.sock;max=8;backup
--balance hash
--hash-on header:X-User
--health-path /up
--max-fails 0
--listen 127.0.0.1:80
--trusted-proxies 10.0.0.0/8,::1
--admin localhost:9090
--max-body 2GiB
--log-level warn
--via
`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Listen: []Address{{Network: "tcp", Addr: "127.0.0.1:80"}},
		Upstreams: []Target{
			{URL: "http://app:3000", Scheme: "http", Host: "app", Port: "3000", Weight: 3},
			{URL: "https://app.example", Scheme: "https", Host: "app.example", Port: "443", Weight: 1},
			{URL: "unix:/run/app.sock", Scheme: "unix", Host: "/run/app.sock", Weight: 1, Max: 8, Backup: true},
		},
		Resolve:      10 * time.Second,
		Balance:      "hash",
		HashOn:       HashOn{"header", "x-user"},
		Sticky:       Sticky{Name: "multiserver"},
		Queue:        1024,
		QueueTimeout: 10 * time.Second,
		Retries:      3,
		Connect:      3 * time.Second,
		Response:     time.Minute,
		Idle:         time.Minute,
		Head:         10 * time.Second,
		KeepAlive:    75 * time.Second,
		Drain:        30 * time.Second,
		MaxHead:      64 << 10,
		MaxBody:      2 << 30,
		Pool:         Pool{MaxIdle: 1024, IdleAge: 30 * time.Second, MaxAge: time.Hour},
		Health: Health{FailTimeout: time.Second, Path: "/up", Interval: 5 * time.Second,
			Timeout: 2 * time.Second, Rise: 2, Fall: 3},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Via:            true,
		Upgrading:      time.Minute,
		Admin:          &Address{Network: "tcp", Addr: "localhost:9090"},
		LogLevel:       slog.LevelWarn,
	}
	whole := *want
	want.Pools = []Group{{"default", &whole}}
	want.Routes = []Route{{Name: "default", Config: &whole, Pool: "default"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// A secret is in no line that can end up in a terminal or a log.
func TestSecretsAreNeverPrinted(t *testing.T) {
	f := func(secret, args string) {
		t.Helper()
		if out := outcome(rawOf("--upstream http://app\n" + args)); strings.Contains(out, secret) {
			t.Errorf("%q shows the secret:\n%s", args, out)
		}
	}
	f("s3cret", "--admin-token s3cret")
	f("s3cret", "--admin-token s3cret with a space")
	f("s3cret", "--admin-token s3cret\n--admin-token other")
	f("s3cret", "MULTISERVER_ADMIN_TOKEN=s3cret\u00e9")
	f("s3cret", "--sticky-key s3cret")
	f("s3cret", "--balance sticky\n--sticky-key s3cret-of-many-bytes")
	f("s3cret", "MULTISERVER_STICKY_KEY=s3cret-of-many-bytes")
	f("s3cret", "--session-key s3cret")
	f("s3cret-of", "--session memory\n--session-key s3cret-of-many-bytes\n--session-sign s3cret-of-many-bytes")
	f("s3cret", "--session mongo\n--mongo mongodb://user:s3cret@db")
	f("s3cret", "--mongo user:s3cret@db")
	f("s3cret", "--upstream http://user:s3cret@app:3000")
	f("s3cret", "--upstream http://us@er:s3cret@app:3000")
	f("s3cret", "--upstream h2c://user:s3cret@app:3000")
	f("s3cret", "--upstream user:s3cret@app:3000")
}

func TestEveryRowIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for i := range Settings {
		s := &Settings[i]
		if s.Name == "" || s.Group == "" || s.Usage == "" || s.read == nil || s.show == nil {
			t.Errorf("row %d (%s) lacks something", i, s.Name)
		}
		if seen[s.Name] {
			t.Errorf("--%s: two rows", s.Name)
		}
		seen[s.Name] = true
		if s.Default != "" && len(s.Choices) > 0 && oneOf(s.Choices, s.Default) != nil {
			t.Errorf("--%s: its default is not among its choices", s.Name)
		}
	}
}
