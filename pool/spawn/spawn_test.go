//go:build linux

package spawn

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestInstancesAreMembersOnceTheyListen(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", func(o *Options) { o.Instances = 3 }).ready(3)
	var names []string
	for _, u := range s.pool.Upstreams() {
		names = append(names, u.Name())
	}
	for _, name := range []string{"app/0", "app/1", "app/2"} {
		if !strings.Contains(strings.Join(names, " "), name) {
			t.Errorf("members are %v, without %s", names, name)
		}
	}
	s.stop()
	s.wait()
	if n := s.Stats.Ends[Stopped].Load(); n != 3 || s.Ready() != 0 {
		t.Errorf("%d were stopped, %d are members", n, s.Ready())
	}
	if _, err := os.Stat(s.dir); err == nil {
		t.Error("the directory of sockets is still there")
	}
}

func TestWaysToListen(t *testing.T) {
	t.Parallel()
	f := func(name, kind, network string, change func(*Options)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, kind, change).ready(1)
			if target := s.members[0].target; target.Network != network {
				t.Errorf("found at %s %s, want %s", target.Network, target.Addr, network)
			}
			if got := s.get("/"); !strings.HasPrefix(got, "0 ") {
				t.Errorf("got %q", got)
			}
		})
	}
	f("PORT", "serve", "tcp", func(o *Options) {})
	f("an argument", "argument {port}", "tcp", func(o *Options) {})
	f("a socket, though there is a port", "socket", "unix", func(o *Options) {})
	f("a socket alone", "socket", "unix", func(o *Options) { o.Socket = true })
	f("handed over", "handed", "tcp", func(o *Options) { o.Handed = true })
	f("a socket handed over", "handed", "unix", func(o *Options) { o.Handed, o.Socket = true, true })
	f("a health path", "serve", "tcp", func(o *Options) { o.Path = "/healthz" })
	if ln, err := listenOn6(); err == nil {
		ln.Close()
		f("the other localhost", "localhost6", "tcp", func(o *Options) {})
	}
}

func TestArgumentsAreFilledIn(t *testing.T) {
	p := &place{instance: 3, port: 4711, socket: "/run/a.sock"}
	got := strings.Join(p.fill([]string{"app", "--port={port}", "{instance}", "unix:{socket}", "{other}"}), " ")
	if got != "app --port=4711 3 unix:/run/a.sock {other}" {
		t.Errorf("got %s", got)
	}
}

func TestChildrenGetNothingOfOurs(t *testing.T) {
	for name, v := range map[string]string{"MULTISERVER_STICKY_KEY": "s3cret", "MULTISERVER_ADMIN_TOKEN": "s3cret", "MULTISERVER_REDIS": "redis://:s3cret@a",
		"MULTISERVER_SPAWN": "4", "NOTIFY_SOCKET": "s3cret", "LISTEN_FDS": "3", "APP_SETTING": "kept"} {
		t.Setenv(name, v)
	}
	ln, err := listenOn4()
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := start(t, "serve").ready(1)
	env := s.get("/env")
	if strings.Contains(env, "s3cret") || strings.Contains(env, "MULTISERVER_SPAWN=") || strings.Contains(env, "LISTEN_FDS") {
		t.Errorf("its environment has what is ours:\n%s", env)
	}
	for _, want := range []string{"APP_SETTING=kept\n", "MULTISERVER_INSTANCE=0\n", "PORT=", "MULTISERVER_SOCKET="} {
		if !strings.Contains("\n"+env, "\n"+want) {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	var files string
	defer func() {
		if t.Failed() {
			t.Logf("it has open\n%s", files)
		}
	}()
	s.until("it has no sockets but its own", func() bool { // its listener, the connection it answers on, and some that are about to end
		files = s.get("/files")
		return strings.Count(files, "socket:") <= 2 && strings.Contains(files, "0 /dev/null")
	})
}

func TestAnEndIsKnownAtOnceAndAnotherIsStarted(t *testing.T) {
	t.Parallel()
	s := start(t, "serve").ready(1)
	first := s.event(Ready)
	s.door.Lock()
	c := s.members[0]
	s.door.Unlock()
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.exited
	s.door.Lock()
	for _, m := range s.members {
		if m == c {
			t.Error("it has ended and is a member")
		}
	}
	s.door.Unlock()
	if e := s.event(Crashed); e.PID != first.PID || !strings.Contains(e.Detail, "signal: killed") || e.Cause != "crash" {
		t.Errorf("crash: %+v", e)
	}
	s.event(Restart)
	s.event(Boot)
	if second := s.event(Ready); second.PID == first.PID || second.Instance != 0 {
		t.Errorf("ready: %+v", second)
	}
}

func TestStopLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	s := start(t, "serve").ready(1)
	until := filepath.Join(t.TempDir(), "until")
	var tried tried
	up := s.pool.Pick(0, &tried.Tried) // as a request would
	s.stop()
	s.until("it has left", func() bool { return s.Ready() == 0 })
	if strings.Contains(s.log.String(), "told to stop") {
		t.Error("it was told while it had a request")
	}
	os.WriteFile(until, nil, 0o644)
	up.Done(nil, 200)
	s.wait()
	s.says("told to stop: terminated")
}

func TestOneThatIgnoresTheSignalIsKilled(t *testing.T) {
	t.Parallel()
	s := start(t, "stubborn", func(o *Options) { o.StopTimeout = 50 * time.Millisecond }).ready(1)
	s.stop()
	s.wait()
	s.says("did not end when told to", "signal=terminated")
	if s.Stats.Kills.Load() != 1 {
		t.Errorf("%d kills", s.Stats.Kills.Load())
	}
}

func TestTheSignalIsAsToldTo(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", func(o *Options) { o.StopSignal = syscall.SIGUSR1 }).ready(1)
	s.stop()
	s.wait()
	s.says("told to stop: user defined signal 1")
}

func TestScale(t *testing.T) {
	t.Parallel()
	s := start(t, "serve").ready(1)
	must := func(n int, ok bool) {
		t.Helper()
		if err := s.Scale(n); (err == nil) != ok {
			t.Errorf("scale to %d: %v", n, err)
		}
	}
	must(3, true)
	s.ready(3)
	must(0, false)
	must(MaxInstances+1, false)
	must(1, true)
	s.ready(1)
	s.until("two have ended", func() bool { return s.Stats.Ends[Scaled].Load() == 2 })
	if got := s.get("/"); !strings.HasPrefix(got, "0 ") {
		t.Errorf("%q is left, want instance 0", got)
	}
}

func TestOutputIsToldLineByLine(t *testing.T) {
	t.Parallel()
	s := start(t, "floods").ready(1)
	s.says("xxxx…", "stream=stdout", "instance=0")
	s.stop()
	s.wait()
	s.says(`msg="without an end"`, "stream=stderr")
	if lines := s.Stats.Lines.Load(); lines < 5201 {
		t.Errorf("%d lines", lines)
	}
}

func TestEventsAreBoundedAndCounted(t *testing.T) {
	var e Events
	from, end := e.Listen()
	for range backlog + 3 {
		e.post(Event{Kind: Boot})
	}
	if first := <-from; first.Seq != 1 || e.Dropped.Load() != 3 {
		t.Errorf("first is %d, %d dropped", first.Seq, e.Dropped.Load())
	}
	end()
	e.post(Event{})
	if e.Dropped.Load() != 3 {
		t.Error("nobody listens, and one was dropped")
	}
}

func TestHooks(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "events")
	s := start(t, "serve", func(o *Options) {
		o.Hook = "echo $MULTISERVER_EVENT $MULTISERVER_INSTANCE >>" + file + "; cat >>" + file
	}).ready(1)
	s.stop()
	s.wait()
	text, _ := os.ReadFile(file)
	if !has(string(text), "boot 0\n{", "ready 0\n{", "stop 0\n{", `"event":"ready"`, `"app":"app"`) {
		t.Errorf("the command was told\n%s", text)
	}
	got := make(chan string, 10)
	url := webhook(t, func(w http.ResponseWriter, kind string) {
		got <- kind
		w.WriteHeader(500)
	})
	s = start(t, "serve", func(o *Options) { o.Hook = url }).ready(1)
	s.stop()
	s.wait()
	if a, b, c := <-got, <-got, <-got; fmt.Sprint(a, b, c) != "bootreadystop" {
		t.Errorf("the URL was told %s, %s, %s", a, b, c)
	}
	if s.Stats.Unheard.Load() != 3 {
		t.Errorf("%d were not taken, want 3", s.Stats.Unheard.Load())
	}
}

// Nothing is left of a supervisor that was killed.
func TestNoOrphanSurvivesAKill(t *testing.T) {
	t.Parallel()
	cmd, out := command("supervisor")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var mark, dir string
	if _, err := fmt.Fscan(out, &mark, &dir); err != nil {
		t.Fatal(err)
	}
	marks := []byte("\x00" + markName + "=" + mark)
	all := func() (pids []int) {
		for _, pid := range processes() {
			if marked(pid, marks) && lives(pid) {
				pids = append(pids, pid)
			}
		}
		return pids
	}
	s := &stage{t: t}
	s.until("two apps run, with two of their own each", func() bool { return len(all()) == 6 })
	cmd.Process.Kill()
	cmd.Wait()
	s.until("all are gone", func() bool { return len(all()) == 0 })
	s.until("so is the directory", func() bool { _, err := os.Stat(dir); return err != nil })
}

func TestStopEndsWhatChildrenBegan(t *testing.T) {
	t.Parallel()
	s := start(t, "parent", func(o *Options) { o.StopTimeout = 200 * time.Millisecond }).ready(1)
	mark := []byte("\x00" + markName + "=" + s.mark)
	s.stop()
	s.wait()
	for _, pid := range processes() {
		if marked(pid, mark) && lives(pid) {
			t.Errorf("process %d is left", pid)
		}
	}
}

func TestAGuardThatEndsIsStartedAgain(t *testing.T) {
	t.Parallel()
	s := start(t, "serve").ready(1)
	s.guard.mu.Lock()
	first := s.guard.cmd.Process.Pid
	s.guard.mu.Unlock()
	syscall.Kill(first, syscall.SIGKILL)
	s.until("there is another", func() bool {
		s.guard.mu.Lock()
		defer s.guard.mu.Unlock()
		return s.guard.cmd != nil && s.guard.cmd.Process.Pid != first
	})
}

func TestPidOfAnswerIsTheChilds(t *testing.T) {
	t.Parallel()
	s := start(t, "serve").ready(1)
	e := s.event(Ready)
	if got := s.get("/"); got != "0 "+strconv.Itoa(e.PID) {
		t.Errorf("%q answers, want %d", got, e.PID)
	}
}
