package cli

import (
	"fmt"
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
