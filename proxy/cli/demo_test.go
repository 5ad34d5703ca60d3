package cli

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDemo does what the demo's own text says to try.
func TestDemo(t *testing.T) {
	t.Parallel()
	s := start(t, "demo", "--listen", "127.0.0.1:0")
	base := "http://" + s.addr()
	if s.stdout.wait(regexp.MustCompile(`Ctrl-C ends it`)) == nil {
		t.Fatal("it does not say what to try")
	}
	text := s.stdout.String()
	for _, part := range []string{"curl " + base + "/ ", "/slow", "/report", "/fail", "/stop/2", "-N " + base + "/stream", "/upload", "instance 3"} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q in\n%s", part, text)
		}
	}

	if n := len(answering(t, base)); n != 3 {
		t.Errorf("%d instances answer, want 3", n)
	}
	if report := get(t, base+"/report"); get(t, base+"/report") != report {
		t.Error("/report is made anew each time")
	}
	for range 4 {
		if body := get(t, base+"/fail"); !strings.Contains(body, "the first connection broke") {
			t.Errorf("/fail: %q", body)
		}
	}
	post(t, base+"/stop/2")
	time.Sleep(200 * time.Millisecond)
	if got := answering(t, base); len(got) != 2 || got["instance 2"] {
		t.Errorf("with instance 2 stopped: %v", got)
	}
	if body := post(t, base+"/start/2"); !strings.Contains(body, "instance 2 runs") {
		t.Errorf("/start/2: %q", body)
	}
	if body := get(t, base+"/headers"); !strings.Contains(body, "User-Agent: Go-http-client") {
		t.Errorf("/headers: %q", body)
	}
	res, err := http.Post(base+"/upload", "application/octet-stream", io.LimitReader(endless{}, 3e6))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	if !strings.Contains(string(body), "took 3000000 bytes") {
		t.Errorf("/upload: %q", body)
	}

	// A stream's first event comes at once, and Ctrl-C waits for no stream.
	res, err = http.Get(base + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if line, err := bufio.NewReader(res.Body).ReadString('\n'); err != nil || !strings.HasPrefix(line, "data: instance ") {
		t.Errorf("/stream: %q, %v", line, err)
	}
	begin := time.Now()
	s.signal(syscall.SIGINT)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("Ctrl-C took %v", took)
	}
}

// answering says which instances answer twelve requests.
func answering(t *testing.T, base string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for range 12 {
		name, _, _ := strings.Cut(get(t, base+"/"), ":")
		seen[name] = true
	}
	return seen
}

func post(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, body)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
