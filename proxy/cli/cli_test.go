package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"multiserver/proxy/config"
	"multiserver/sync/daemon"
)

func TestMistakesAreLinesOnStderrAndExitCode2(t *testing.T) {
	t.Parallel()
	f := func(args string, want ...string) {
		t.Helper()
		got := run(t, nil, strings.Fields(args)...)
		if got.code != exitUsage || got.stdout != "" || got.stderr != strings.Join(want, "\n")+"\n" {
			t.Errorf("multiserver %s: exit code %d, stdout %q, stderr\n%s\nwant\n%s", args, got.code, got.stdout, got.stderr, strings.Join(want, "\n"))
		}
	}
	f("", `--upstream: none given, want at least one, such as --upstream http://127.0.0.1:3000`)
	f("--upstream 10.0.0.7", `--upstream "10.0.0.7": missing scheme, want http://10.0.0.7:80`)
	f("check --upstream 10.0.0.7", `--upstream "10.0.0.7": missing scheme, want http://10.0.0.7:80`)
	f("--upstream 10.0.0.7 check", `--upstream "10.0.0.7": missing scheme, want http://10.0.0.7:80`)

	// All at once, whoever finds them.
	f("--upstrem x --timeout 60 --zeal 9 --listen 80 --max-body=1K more --admin",
		`--upstrem: unknown flag, did you mean --upstream?`,
		`--zeal: unknown flag (see multiserver help)`,
		`"more": unknown command, want one of run, check, demo, purge, publish, upgrade, schema, version, completion, help`,
		`--admin: missing value, want --admin ADDR`,
		`--listen "80": missing colon, want :80`,
		`--timeout "60": missing unit, want 60s or 60ms`,
		`--max-body "1K": unknown unit "K", want KiB, MiB, GiB (of 1024) or KB, MB, GB (of 1000)`)
	f("--upstream http://app;maxconn=1 --balance leastconn --hash-on ip --queue -1 --health-path up --sticky-key short --max-conns 9",
		`--max-conns: unknown flag, did you mean --max-connections?`,
		`--upstream "http://app;maxconn=1": unknown option ";maxconn", want ;weight=N, ;max=N, ;backup, ;pipeline=N or ;send-proxy=v1|v2`,
		`--balance "leastconn": unknown, want one of round-robin, least-connections, p2c, least-latency, random, hash, sticky`,
		`--hash-on "ip": unknown, want client, uri, path, host, header:NAME, query:NAME, cookie:NAME or session`,
		"--sticky-key: 5 bytes can be guessed, want at least 16, such as those that `openssl rand -hex 16` prints",
		`--queue "-1": out of range, want 0 to 1048576`,
		`--health-path "up": missing slash, want /up`)
	f("--upstream http://app --hash-on uri", `--hash-on: has no effect with --balance round-robin, want --balance hash as well`)
	f("--bogus check --upstream http://app", `--bogus: unknown flag (see multiserver help)`)
	f("---upstream http://app", `"---upstream": not a flag, want --name`,
		`"http://app": unknown command, want one of run, check, demo, purge, publish, upgrade, schema, version, completion, help`)
	f("run extra --upstream http://app", `"extra": unexpected argument, every setting is a flag (see multiserver help)`)
	f("--upstream http://app -- node app.js --port 1", `-- "node app.js --port 1": no processes are run, want --spawn N as well: how many`)
	f("--spawn 2 --", `--: nothing follows, want the app's command, as in --spawn 4 -- node app.js`,
		`--spawn: no command, want the app's behind --, as in --spawn 4 -- node app.js`)
	f("--spawn 2 --spawn-command app -- app", `-- "app": there is --spawn-command as well, want one of both`)
	f("--spawn node app.js", `"app.js": unknown command, want one of run, check, demo, purge, publish, upgrade, schema, version, completion, help`,
		`--spawn "node": neither a number nor auto; the command stands behind --, as in --spawn 4 -- node app.js`,
		`--spawn: no command, want the app's behind --, as in --spawn 4 -- node app.js`)
	f("version -- node", `-- "node": nothing may follow`)
	f("serve", `"serve": unknown command, want one of run, check, demo, purge, publish, upgrade, schema, version, completion, help`)
	f("version now", `"now": unexpected argument, every setting is a flag (see multiserver help)`)
	f("version --via", `version: takes no flags (see multiserver help)`)
	f("help serve", `"serve": unknown command, want one of run, check, demo, purge, publish, upgrade, schema, version, completion, help`)
	f("completion", `completion: want the name of one shell: bash, zsh, fish`)
	f("completion tcsh", `completion "tcsh": want the name of one shell: bash, zsh, fish`)
	f("demo --upstream http://app", `--upstream "http://app": the demo brings its own upstreams, want multiserver run for yours`)
	f("demo --timeout 5", `--timeout "5": missing unit, want 5s or 5ms`)
}

func TestEnvironmentGivesWhatFlagsDoNot(t *testing.T) {
	t.Parallel()
	env := []string{"MULTISERVER_UPSTREAM=http://10.0.0.1:1,http://10.0.0.2:2", "MULTISERVER_TIMEOUT=7s", "MULTISERVER_VIA=true"}
	got := run(t, env, "check", "--timeout", "9s")
	for _, line := range []string{"--upstream http://10.0.0.1:1", "--upstream http://10.0.0.2:2", "--timeout 9s", "--via=true"} {
		if got.code != exitClean || !strings.Contains(got.stdout, line+"\n") {
			t.Errorf("exit code %d, no line %q in\n%s%s", got.code, line, got.stdout, got.stderr)
		}
	}
	got = run(t, []string{"MULTISERVER_UPSTREAM=app"}, "check")
	if got.code != exitUsage || got.stderr != "MULTISERVER_UPSTREAM \"app\": missing scheme, want http://app:80\n" {
		t.Errorf("exit code %d, %s", got.code, got.stderr)
	}
}

// check is the same way as run, up to the sockets.
func TestCheckPrintsWhatTheFlagsAmountTo(t *testing.T) {
	t.Parallel()
	got := run(t, nil, "check", "--upstream", "http://app;weight=2", "--admin", ":9090", "--admin-token", "s3cret")
	c, err := config.Parse(config.Raw{
		"upstream":    {From: "--upstream", Words: []string{"http://app;weight=2"}},
		"admin":       {From: "--admin", Words: []string{":9090"}},
		"admin-token": {From: "--admin-token", Words: []string{"s3cret"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Join(c.Lines(), "\n") + "\n"; got.code != exitClean || got.stdout != want || got.stderr != "" {
		t.Errorf("exit code %d, stderr %q, stdout\n%s\nwant\n%s", got.code, got.stderr, got.stdout, want)
	}
	if strings.Contains(got.stdout, "s3cret") {
		t.Error("it shows the token")
	}
}

func TestVersionIsOneLine(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`^multiserver \S+ \(go\S+, \w+/\w+\)\n$`)
	for _, arg := range []string{"version", "--version"} {
		if got := run(t, nil, arg); got.code != exitClean || !line.MatchString(got.stdout) {
			t.Errorf("%s: exit code %d, %q", arg, got.code, got.stdout)
		}
	}
}

func TestHelpNamesEverySettingAndCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}, {"run", "--help"}, {"help", "run"}, {"help", "check"}, {"demo", "-h"}} {
		got := run(t, nil, args...)
		for i := range config.Settings {
			if name := "  --" + config.Settings[i].Name + " "; !strings.Contains(got.stdout, name) {
				t.Errorf("%v: no %s", args, name)
			}
		}
		if got.code != exitClean || strings.Contains(got.stdout, "{{") || strings.ContainsRune(got.stdout, '`') {
			t.Errorf("%v: exit code %d, page:\n%s", args, got.code, got.stdout)
		}
	}
	page := run(t, nil, "help").stdout
	for _, command := range newLine(nil, io.Discard).app.Commands {
		if !strings.Contains(page, "  "+command.Name+" ") {
			t.Errorf("no command %s", command.Name)
		}
	}
}

// The examples on the page of help are what people paste first.
func TestExamplesInTheHelpAreRight(t *testing.T) {
	t.Parallel()
	for _, e := range examples {
		args := strings.TrimPrefix(e.args, "check ")
		out, err := exec.Command("sh", "-c", binary+" check "+args).CombinedOutput()
		if err != nil {
			t.Errorf("%s: multiserver %s: %v\n%s", e.task, e.args, err, out)
		}
	}
}

func TestBashCompletes(t *testing.T) {
	t.Parallel()
	daemon.Need(t, "bash")
	f := func(typed string, want ...string) {
		t.Helper()
		// Words as readline splits them; the last is the one being typed.
		script := `PATH=` + filepath.Dir(binary) + `:$PATH; source <(multiserver completion bash)
			COMP_WORDS=(` + typed + `); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _multiserver; echo "${COMPREPLY[*]}"`
		out, err := exec.Command("bash", "-c", script).CombinedOutput()
		if got := strings.Fields(string(out)); err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v, %q, want %q", typed, err, out, want)
		}
	}
	f("multiserver ''", "run", "check", "demo", "purge", "publish", "upgrade", "schema", "version", "completion", "help")
	f("multiserver ch", "check")
	f("multiserver --upstream-i", "--upstream-insecure", "--upstream-idle", "--upstream-idle-timeout")
	f("multiserver check --upstream http://app --upstream-i", "--upstream-insecure", "--upstream-idle", "--upstream-idle-timeout")
	f("multiserver run --via --vi") // given already
	f("multiserver run --log-level ''", "debug", "info", "warn", "error")
	f("multiserver run --log-level w", "warn")
	f("multiserver run --balance least", "least-connections", "least-latency")
	f("multiserver run --hash-on ''", "client", "uri", "path", "host", "header:", "query:", "cookie:", "session")
	f("multiserver run --health-", "--health-path", "--health-interval", "--health-timeout", "--health-rise", "--health-fall")
	f("multiserver purge --ad", "--admin", "--admin-token")
	f("multiserver purge http://a/ --so", "--soft")
	f("multiserver completion ''", "bash", "zsh", "fish")
	f("multiserver --spawn 2 -- node --li") // another program's
	f("multiserver --spawn-max", "--spawn-max-memory", "--spawn-max-age", "--spawn-max-requests")
}

func TestServesUntilSIGTERM(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "it is I") }))
		defer app.Close()
		s := start(t, "--listen", "127.0.0.1:0", "--upstream", app.URL)
		if body := get(t, "http://"+s.addr()+"/"); body != "it is I" {
			t.Errorf("got %q", body)
		}
		s.signal(sig)
		if code := s.code(); code != exitClean {
			t.Errorf("%v: exit code %d", sig, code)
		}
	}
}

func TestDrainLetsAnExchangeUnderWayEnd(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		io.WriteString(w, "done")
	}))
	defer app.Close()
	s := start(t, "--listen", "127.0.0.1:0", "--upstream", app.URL)
	url := "http://" + s.addr() + "/"

	answer := make(chan string, 1)
	go func() {
		res, err := http.Get(url)
		if err != nil {
			answer <- err.Error()
			return
		}
		body, err := io.ReadAll(res.Body)
		answer <- fmt.Sprint(string(body), err)
	}()
	<-begun
	s.signal(syscall.SIGTERM)
	s.logs(regexp.MustCompile(`msg=draining`))
	refused(t, s.addr())
	close(finish)
	if got := <-answer; got != "done<nil>" {
		t.Errorf("the exchange under way got %q", got)
	}
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

func TestDrainEndsAtItsTimeout(t *testing.T) {
	t.Parallel()
	s, hanging := startHanging(t, "--drain-timeout", "300ms")
	defer hanging.Close()
	begin := time.Now()
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(begin); took < 200*time.Millisecond || took > patience/2 {
		t.Errorf("it took %v, want 300ms", took)
	}
}

func TestASecondSignalStopsAtOnce(t *testing.T) {
	t.Parallel()
	s, hanging := startHanging(t, "--drain-timeout", "1m")
	defer hanging.Close()
	s.signal(syscall.SIGTERM)
	s.logs(regexp.MustCompile(`msg=draining`))
	begin := time.Now()
	s.signal(syscall.SIGINT)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(begin); took > patience/2 {
		t.Errorf("it took %v", took)
	}
}

func TestFailuresAtStartSayWhat(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().String()
	pages := t.TempDir()

	f := func(code int, args []string, parts ...string) {
		t.Helper()
		got := run(t, nil, args...)
		if got.code != code || strings.Count(got.stderr, "\n") > 2 {
			t.Errorf("%v: exit code %d, want %d, stderr\n%s", args, got.code, code, got.stderr)
		}
		for _, part := range parts {
			if !strings.Contains(got.stderr, part) {
				t.Errorf("%v: no %q in %s", args, part, got.stderr)
			}
		}
	}
	app := "--upstream=http://127.0.0.1:1"
	f(exitFailure, []string{app, "--listen", port}, port, "address already in use", "choose another")
	f(exitFailure, []string{app, "--listen", "127.0.0.1:0", "--admin", port}, port, "address already in use")
	f(exitFailure, []string{"demo", "--listen", port}, port, "address already in use", "choose another")
	f(exitFailure, []string{"--listen", "127.0.0.1:0", "--upstream", "http://no-such-host.invalid:80"}, "no-such-host.invalid")
	f(exitFailure, []string{"--listen", "127.0.0.1:0", "--upstream", "srv+http://no-such-service.invalid"},
		`upstream "srv+http://no-such-service.invalid": cannot resolve`, "; ")
	f(exitUsage, []string{app, "--error-pages", pages + "/none"}, "--error-pages", "no such file or directory")
	f(exitUsage, []string{app, "--error-pages", pages}, "--error-pages", "502.html")
	f(exitUsage, []string{app, "--access-log", pages + "/none/access.log"}, "--access-log", "no such file or directory")
	f(exitUsage, []string{app, "--admin", ":9090"}, "--admin-token")
}

func TestAdminOnItsOwnListener(t *testing.T) {
	t.Parallel()
	s := start(t, "--listen", "127.0.0.1:0", "--upstream", "http://127.0.0.1:1", "--admin", "127.0.0.1:0")
	s.addr()
	url := "http://" + s.adminAddr()
	if body := get(t, url+"/healthz"); body != "ok\n" {
		t.Errorf("healthz: %q", body)
	}
	if body := get(t, url+"/metrics"); !strings.Contains(body, "go_goroutines") {
		t.Errorf("metrics: %q", body)
	}
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

// When whoever reads the log goes away, the service stays.
func TestOutlivesTheReaderOfItsLog(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer app.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--listen", "127.0.0.1:0", "--upstream", app.URL, "--access-log", "-")
	cmd.Env, cmd.Stdout, cmd.Stderr = clean(), w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	defer cmd.Process.Kill()
	_ = r.SetReadDeadline(time.Now().Add(patience))
	var m []string
	for log := bufio.NewReader(r); m == nil; {
		line, err := log.ReadString('\n')
		if err != nil {
			t.Fatal("it does not say where it listens: ", err)
		}
		m = listening.FindStringSubmatch(line)
	}
	r.Close()
	for range 3 {
		get(t, "http://"+m[1]+"/")
		time.Sleep(50 * time.Millisecond) // for the access log's line
	}
	cmd.Process.Signal(syscall.SIGTERM) // logs more lines
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitClean {
		t.Errorf("exit code %d (%v)", code, cmd.ProcessState)
	}
}

// startHanging starts the proxy with an exchange under way that never ends.
func startHanging(t *testing.T, args ...string) (*service, net.Conn) {
	t.Helper()
	begun := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-ctx.Done()
	}))
	t.Cleanup(func() { cancel(); app.Close() })
	s := start(t, append(args, "--listen", "127.0.0.1:0", "--upstream", app.URL)...)
	c, err := net.Dial("tcp", s.addr())
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: app\r\n\r\n")
	<-begun
	return s, c
}

func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v, %s", url, res.StatusCode, err, body)
	}
	return string(body)
}

// refused waits until nobody takes connections at addr any more.
func refused(t *testing.T, addr string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		c.Close()
	}
	t.Error("it takes connections while it drains")
}
