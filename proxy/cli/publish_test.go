package cli

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// startHub serves an app whose WebSockets say nothing.
func startHub(t *testing.T, args ...string) *service {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := websocket.Accept(w, r, nil); err == nil {
			defer c.CloseNow()
			_, _, _ = c.Read(context.Background())
		}
	}))
	t.Cleanup(app.Close)
	return start(t, append([]string{"--listen", "127.0.0.1:0", "--upstream", app.URL, "--hub", "/ws", "--admin", "127.0.0.1:0", "--drain-timeout", "1s"}, args...)...)
}

func TestPublishReachesMembers(t *testing.T) {
	t.Parallel()
	s := startHub(t, "--hub-history", "kept", "--hub-channels", "all,kept", "--admin-token", "s3cret")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+s.addr()+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	token := []string{"MULTISERVER_ADMIN_TOKEN=s3cret"}
	f := func(kind websocket.MessageType, want string, args ...string) outcome {
		t.Helper()
		got := run(t, token, append([]string{"publish", "--admin", s.adminAddr()}, args...)...)
		if got.code != exitClean || got.stderr != "" {
			t.Fatalf("%q: %+v", args, got)
		}
		k, b, err := c.Read(ctx)
		if err != nil || k != kind || string(b) != want {
			t.Fatalf("%q: %v %q %v", args, k, b, err)
		}
		return got
	}
	f(websocket.MessageText, "hello", "all", "hello")
	f(websocket.MessageBinary, "bytes", "all", "bytes", "--binary")
	f(websocket.MessageText, "", "all", "-") // nothing is on standard input
	if got := f(websocket.MessageText, "kept", "kept", "kept"); !strings.HasSuffix(got.stdout, "-1\n") {
		t.Errorf("id %q", got.stdout)
	}
	got := run(t, nil, "publish", "--admin", s.adminAddr(), "all", "x")
	if got.code != exitFailure || !strings.Contains(got.stderr, "401") {
		t.Errorf("without the token: %+v", got)
	}
}

func TestPublishSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	f := func(code int, want string, args ...string) {
		t.Helper()
		got := run(t, nil, append([]string{"publish"}, args...)...)
		if got.code != code || !strings.Contains(got.stderr, want) {
			t.Errorf("%q: %+v, want %q", args, got, want)
		}
	}
	f(exitUsage, "no channel")
	f(exitUsage, "in quotes", "a", "b", "c")
	f(exitUsage, "not a channel", "a\nb", "c")
	f(exitUsage, "unknown flag (see multiserver help publish)", "--text", "a")
	f(exitUsage, "want where the running server's admin listens", "a", "b")
	f(exitFailure, "want --admin of a server that runs", "--admin", "127.0.0.1:1", "a", "b")
	if got := run(t, nil, "publish", "--help"); got.code != exitClean || got.stdout != publishHelp {
		t.Errorf("%+v", got)
	}
}

func TestNoHubIsSaid(t *testing.T) {
	t.Parallel()
	s, _ := startCached(t)
	res, err := http.Post("http://"+s.adminAddr()+"/api/publish?channel=a", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, _ := io.ReadAll(res.Body); res.StatusCode != 404 || !strings.Contains(string(b), "--hub PATH") {
		t.Errorf("%d %s", res.StatusCode, b)
	}
}
