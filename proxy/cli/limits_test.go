package cli

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refusal is an answer of 503 that says when to come again.
func refusal(t *testing.T, r reply, least, most time.Duration) {
	t.Helper()
	if r.status != 503 || r.header.Get("Retry-After") == "" || r.after < least || r.after > most {
		t.Errorf("%d %q after %v, Retry-After %q; want 503 after %v to %v", r.status, r.body, r.after, r.header.Get("Retry-After"), least, most)
	}
}

func wantAnswer(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case s := <-got:
		if s != want {
			t.Errorf("got %q, want %q", s, want)
		}
	case <-time.After(patience):
		t.Fatalf("no answer, want %q", want)
	}
}

func TestWithoutAQueueMoreThanTheMostAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	app := newMember(t, "app")
	s, url := front(t, "--max-concurrent 1 --queue 0 --upstream "+app.URL)
	first := begin(url + "/slow")
	<-app.begun
	s.metric("multiserver_concurrent 1")
	for range 3 {
		refusal(t, ask(t, url), 0, patience/4)
	}
	app.end <- struct{}{}
	wantAnswer(t, first, "200 app")
	s.metric("multiserver_concurrent 0")
	if r := ask(t, url); r.status != 200 {
		t.Errorf("with the place free again: %d", r.status)
	}
	s.metric(`multiserver_queue_refused_total{queue="process",reason="queue-full"} 3`)
}

func TestTheQueueIsServedInOrder(t *testing.T) {
	t.Parallel()
	app := newMember(t, "app")
	s, url := front(t, "--max-concurrent 1 --queue 5 --upstream "+app.URL)
	first := begin(url + "/slow")
	<-app.begun
	var waiting []<-chan string
	for i := range 5 {
		waiting = append(waiting, begin(fmt.Sprintf("%s/%d", url, i)))
		s.metric(fmt.Sprintf(`multiserver_queue_waiting{queue="process"} %d`, i+1))
	}
	refusal(t, ask(t, url), 0, patience/4)
	app.end <- struct{}{}
	wantAnswer(t, first, "200 app")
	for _, answer := range waiting {
		wantAnswer(t, answer, "200 app")
	}
	if got := app.seen(); got != "/slow /0 /1 /2 /3 /4" {
		t.Errorf("the order was %s", got)
	}
	s.metric(`multiserver_queue_waited_total{queue="process"} 5`)
}

func TestTheQueueRefusesWhoWaitedTooLong(t *testing.T) {
	t.Parallel()
	app := newMember(t, "app")
	s, url := front(t, "--max-concurrent 1 --queue-timeout 100ms --upstream "+app.URL)
	first := begin(url + "/slow")
	<-app.begun
	refusal(t, ask(t, url), 90*time.Millisecond, patience/4)
	s.metric(`multiserver_queue_refused_total{queue="process",reason="queue-timeout"} 1`)
	app.end <- struct{}{}
	wantAnswer(t, first, "200 app")
}

func TestAnUpstreamHasItsOwnMost(t *testing.T) {
	t.Parallel()
	a, b := newMember(t, "a"), newMember(t, "b")
	_, url := front(t, "--queue 1 --queue-timeout 200ms --upstream "+a.URL+";max=1 --upstream "+b.URL+";max=1")
	one, two := begin(url+"/slow"), begin(url+"/slow")
	<-a.begun // each has one, whichever it is
	<-b.begun
	refusal(t, ask(t, url), 180*time.Millisecond, patience/4)
	a.end <- struct{}{}
	for range 3 { // b is full, and turns go on without it
		if r := ask(t, url); r.body != "a" {
			t.Errorf("%d %s, want a", r.status, r.body)
		}
	}
	b.end <- struct{}{}
	if x, y := <-one, <-two; x == y || x+y != "200 a200 b" && x+y != "200 b200 a" {
		t.Errorf("%q and %q, want one of each", x, y)
	}
}

// Who waits when the process is told to stop is under way, too.
func TestDrainServesTheQueue(t *testing.T) {
	t.Parallel()
	app := newMember(t, "app")
	s, url := front(t, "--max-concurrent 1 --upstream "+app.URL)
	first := begin(url + "/slow")
	<-app.begun
	second := begin(url + "/")
	s.metric(`multiserver_queue_waiting{queue="process"} 1`)
	s.signal(syscall.SIGTERM)
	refused(t, s.addr())
	app.end <- struct{}{}
	wantAnswer(t, first, "200 app")
	wantAnswer(t, second, "200 app")
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}

func TestDrainCutsTheQueueAtItsTimeout(t *testing.T) {
	t.Parallel()
	app := newMember(t, "app")
	s, url := front(t, "--max-concurrent 1 --queue-timeout 1m --drain-timeout 200ms --upstream "+app.URL)
	begin(url + "/slow")
	<-app.begun
	begin(url + "/")
	s.metric(`multiserver_queue_waiting{queue="process"} 1`)
	since := time.Now()
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(since); took > patience/2 {
		t.Errorf("it took %v", took)
	}
}

// limited begins the program where it may have so many descriptors.
func limited(t *testing.T, descriptors string, args ...string) *service {
	t.Helper()
	return startProgram(t, "sh", append([]string{"-c", `ulimit -n ` + descriptors + ` && exec "$0" "$@"`, binary}, args...)...)
}

func TestClientsAreAsManyAsThereAreDescriptorsFor(t *testing.T) {
	t.Parallel()
	f := func(args, want, not string) {
		t.Helper()
		s := limited(t, "600", append(strings.Fields(args), "--listen", "127.0.0.1:0")...)
		s.addr()
		if got := s.stderr.String(); !strings.Contains(got, want) || not != "" && strings.Contains(got, not) {
			t.Errorf("%q: want %q and not %q in\n%s", args, want, not, got)
		}
		s.signal(syscall.SIGTERM)
		if code := s.code(); code != exitClean {
			t.Errorf("exit code %d", code)
		}
	}
	const before = "--upstream http://127.0.0.1:1 "
	f(before, `level=INFO msg="fewer clients than usual may connect at once, for want of descriptors" max=268 usual=65536 limit=600`, "level=WARN")
	f(before+"--max-connections 500", "listening", "descriptors")
	f("demo", "listening", "descriptors")
	f(before+"--max-connections 1000", `level=WARN msg="fewer descriptors than --max-connections clients need" max=1000 limit=600 want=1064`, "level=INFO msg=\"fewer")
}

func TestARouteHasRetriesOfItsOwn(t *testing.T) {
	t.Parallel()
	var gone []string
	for range 4 {
		ln := listenAt(t, "tcp", "127.0.0.1:0") // which nobody serves, and nobody else gets
		go func() {
			for {
				nc, err := ln.Accept()
				if err != nil {
					return
				}
				_ = nc.Close()
			}
		}()
		gone = append(gone, "http://"+ln.Addr().String())
	}
	s, _ := configured(t, "upstream: ["+strings.Join(gone, ", ")+"]\nmax-fails: 0\nretries: 1\n"+
		"routes: [{name: usual}, {name: once, match: {path: /once}, retries: 0}]\n", "--access-log", "-", "--access-log-format", "json", "--access-log-fields", "route,tries")
	for _, path := range []string{"/", "/once"} {
		if r := ask(t, "http://"+s.addr()+path); r.status != 502 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	for _, want := range []string{`{"route":"usual","tries":2}`, `{"route":"once","tries":1}`} {
		if s.stdout.wait(regexp.MustCompile(regexp.QuoteMeta(want))) == nil {
			t.Errorf("no %s in %s", want, s.stdout.String())
		}
	}
}

// Many clients at once take all descriptors; when they have gone, all is as it
// was.
func TestWantOfDescriptorsPasses(t *testing.T) {
	t.Parallel()
	app := newMember(t, "app")
	s := limited(t, "80", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--max-connections", "1000", "--upstream", app.URL)
	var all []net.Conn
	for range 120 {
		nc, err := net.Dial("tcp", s.addr())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, nc)
	}
	s.logs(regexp.MustCompile(`msg="connections cannot be taken, they wait" cause=".*too many open files"`))
	for _, nc := range all {
		_ = nc.Close()
	}
	if r := ask(t, "http://"+s.addr()); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}
