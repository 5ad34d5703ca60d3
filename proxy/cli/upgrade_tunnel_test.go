package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"
)

// echoing is an app whose WebSockets say what they hear.
func echoing(t *testing.T) (url string) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, text, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, text) != nil {
				return
			}
		}
	}))
	t.Cleanup(app.Close)
	return app.URL
}

// tunnel is a WebSocket that is asked for an echo.
type tunnel struct {
	*websocket.Conn
	t *testing.T
}

func newTunnel(t *testing.T, addr string) *tunnel {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return &tunnel{c, t}
}

func (c *tunnel) echoes(text string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
	if _, got, err := c.Read(ctx); err != nil || string(got) != text {
		c.t.Fatalf("%q, %v, want %q", got, err, text)
	}
}

// One that was there before goes on in the process that goes, which waits for
// it.
func TestAWebSocketOutlivesAnUpgradeByAdmin(t *testing.T) {
	t.Parallel()
	u := startUpgradable(t, "--listen", "127.0.0.1:0", "--upstream", echoing(t))
	before := newTunnel(t, u.addr())
	old := u.pid()
	before.echoes("before")
	got := run(t, nil, "upgrade", "--admin", u.adminAddr())
	if got.code != exitClean {
		t.Fatalf("upgrade: %+v", got)
	}
	u.becomes(old) // it may be told before the file is written
	if want := "process " + strconv.Itoa(u.pid()) + " serves\n"; got.stdout != want {
		t.Errorf("upgrade: %+v, want %q", got, want)
	}
	before.echoes("beside")
	after := newTunnel(t, u.addr())
	after.echoes("after")
	if ended(old) {
		t.Error("the old process has not waited for its WebSocket")
	}
	if err := before.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	u.gone(old)
	after.echoes("at the end")
}

func TestUpgradeByAdminSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	m := newMember(t, "it is I")
	s := start(t, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--admin-token", "s3cret", "--upstream", m.URL)
	f := func(want string, args ...string) {
		t.Helper()
		got := run(t, nil, append([]string{"upgrade"}, args...)...)
		if got.code != exitFailure || !strings.Contains(got.stderr, want) {
			t.Errorf("upgrade %v: %+v, want %q", args, got, want)
		}
	}
	f("asks for its token, want --admin-token", "--admin", s.adminAddr())
	f("asks for its token", "--admin", s.adminAddr(), "--admin-token", "wrong")
	f("which is no multiserver's admin", "--admin", s.addr())
	f("no answer from", "--admin", "unix:"+t.TempDir()+"/none")
	s.signal(syscall.SIGTERM)
	if code := s.code(); code != exitClean {
		t.Errorf("exit code %d", code)
	}
}
