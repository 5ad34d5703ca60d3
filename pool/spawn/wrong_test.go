//go:build linux

package spawn

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What is wrong with the command is known before anything runs.
func TestCommandsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "app.js")
	os.WriteFile(script, []byte("x"), 0o644)
	f := func(command, dir string, want ...string) {
		t.Helper()
		_, err := New(Options{Command: strings.Fields(command), Dir: dir, Instances: 1})
		if err == nil || !has(err.Error(), want...) {
			t.Errorf("%s: %v, want %q", command, err, want)
		}
	}
	f("", "", "no command")
	f("no-such-program-here --x", "", `command "no-such-program-here": not found in PATH; check its spelling`)
	f("app.js", dir, `not found in PATH; for the file of that name want ./app.js`)
	f("./app.js", dir, "not executable; chmod +x it, or name what runs it, as in node ./app.js")
	f("./none", dir, `command "./none": no such file`)
	f(dir, "", "is a directory")
	f("true", dir+"/none", "directory", "no such file")
	f("true", script, "is a file")

	wrong := func(want string, change func(*Options)) {
		t.Helper()
		o := Options{Command: []string{"true"}, Instances: 1}
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	wrong("instances: 0, want 1 to 1024", func(o *Options) { o.Instances = 0 })
	wrong(`user "nobody-of-that-name": there is none`, func(o *Options) { o.User = "nobody-of-that-name" })
	wrong("is a directory, want "+dir+"/** for all below it", func(o *Options) { o.Watch = []string{dir} })
	wrong("no such file", func(o *Options) { o.Watch = []string{dir + "/none/*.js"} })
	wrong("syntax error in pattern", func(o *Options) { o.Watch = []string{dir + "/[a"} })
}

// What is wrong with a process is told in the event and the log, and it is
// tried again.
func TestProcessesThatGoWrong(t *testing.T) {
	t.Parallel()
	script := func(t *testing.T, text string) string {
		path := filepath.Join(t.TempDir(), "app")
		os.WriteFile(path, []byte(text), 0o755)
		return path
	}
	f := func(name string, command func(t *testing.T) []string, cause string, change func(*Options), want ...string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "", func(o *Options) {
				o.Command = command(t)
				o.StopTimeout = 100 * time.Millisecond
				change(o)
			})
			e := s.event(Crashed)
			if e.Cause != cause || !has(e.Detail, want...) {
				t.Errorf("%s: %s, want %s: %q", e.Cause, e.Detail, cause, want)
			}
			s.event(Restart)
			s.says("instance crash", "level=WARN")
		})
	}
	app := func(kind ...string) func(*testing.T) []string {
		return func(*testing.T) []string { return append([]string{os.Args[0], "app"}, kind...) }
	}
	of := func(text string) func(*testing.T) []string {
		return func(t *testing.T) []string { return []string{script(t, text)} }
	}
	asIs := func(*Options) {}
	soon := func(o *Options) { o.ReadyTimeout = time.Second }

	f("no first line", of("echo hello\n"), "not-started", asIs, "first line must say what runs it")
	f("a first line that leads nowhere", of("#!/no/such/interpreter\n"), "not-started", asIs, "what its first line (#!…) names is not here")
	f("exits at once", app("exit", "3"), "crash", asIs, "before it was ready", "exit status 3", "cannot find module 'left-pad'")
	f("exits in peace", app("exit", "0"), "crash", asIs, "status 0: an app must stay, and in the foreground")
	f("leaves", app("leaves"), "crash", asIs, "went to the background", "stay in the foreground")
	f("never listens", app("mute"), "never-ready", soon, "not ready within 1s", "it listens nowhere, and should at 127.0.0.1:", "PORT")
	f("listens elsewhere", app("elsewhere"), "never-ready", func(o *Options) { o.ReadyTimeout = 5 * time.Second }, "it listens on 127.0.0.1:", "have it read the port from PORT", "{port}")
	f("is sick", app("sick"), "never-ready", func(o *Options) { o.Path, o.ReadyTimeout = "/healthz", 5*time.Second }, "it answers 500 to GET /healthz")
}

// One that keeps dying waits longer each time, and an operator is told.
func TestOneThatKeepsDyingDoesNotSpin(t *testing.T) {
	t.Parallel()
	s := start(t, "exit 1")
	var began []time.Time
	for range dying {
		began = append(began, s.event(Boot).Time)
	}
	// The rests are at least 75, 150, 300 and 600 ms.
	if d := began[len(began)-1].Sub(began[0]); d < 1100*time.Millisecond {
		t.Errorf("%d starts within %v", len(began), d)
	}
	s.says("level=ERROR", "keeps dying", "times=5")
	if s.Stats.Ends[Crash].Load() < dying-1 {
		t.Errorf("%d crashes counted", s.Stats.Ends[Crash].Load())
	}
}

func TestOneThatEatsMemoryIsReplaced(t *testing.T) {
	t.Parallel()
	f := func(bytes string, cause string) bool {
		s := start(t, "serve", func(o *Options) { o.MaxMemory = 200 << 20 }).ready(1)
		first := s.event(Ready)
		s.try("/eat?bytes=" + bytes)
		if second := s.event(Ready); second.PID == first.PID {
			t.Error("it is the same")
		}
		s.until("one has ended for "+cause, func() bool {
			return s.Stats.Ends[Memory].Load()+s.Stats.Ends[Crash].Load() == 1
		})
		s.stop()
		s.wait()
		return strings.Contains(s.log.String(), "instance "+cause)
	}
	if !f("270000000", "is to be replaced") {
		t.Error("not for its memory")
	}
	for range 5 { // one that is looked at while it is still eating is replaced in peace
		if f("500000000", "takes far too much memory, and is killed") {
			return
		}
	}
	t.Error("it is never killed")
}
