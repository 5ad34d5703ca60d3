package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Whoever rotates logs renames the file, then sends SIGUSR1.
func TestAccessLogIsRotatedBySIGUSR1(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer app.Close()
	path := filepath.Join(t.TempDir(), "access.log")
	s := start(t, "--listen", "127.0.0.1:0", "--upstream", app.URL, "--access-log", path, "--access-log-format", "json", "--access-log-fields", "uri,status")
	addr := s.addr()
	ask := func(target, file, want string) {
		t.Helper()
		get(t, "http://"+addr+target)
		var got string
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if b, _ := os.ReadFile(file); strings.HasSuffix(string(b), want) {
				return
			} else {
				got = string(b)
			}
		}
		t.Errorf("%s has %q, and no %q", filepath.Base(file), got, want)
	}
	ask("/one?key=x", path, `{"uri":"/one?key=***","status":200}`+"\n")
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	ask("/two", path+".1", `{"uri":"/two","status":200}`+"\n")
	s.signal(syscall.SIGUSR1)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no new file")
		}
	}
	ask("/three", path, `{"uri":"/three","status":200}`+"\n")
	if b, _ := os.ReadFile(path + ".1"); strings.Contains(string(b), "three") {
		t.Error("a line went to the old file")
	}
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}
