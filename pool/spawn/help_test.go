//go:build linux

package spawn

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"multiserver/pool"
)

type tried struct{ pool.Tried }

func listenOn4() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
func listenOn6() (net.Listener, error) { return net.Listen("tcp", "[::1]:0") }

// webhook tells the kinds of events that are posted.
func webhook(t *testing.T, f func(w http.ResponseWriter, kind string)) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e Event
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		f(w, string(e.Kind))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// command runs this program as an app of its own.
func command(kind string) (*exec.Cmd, io.Reader) {
	cmd := exec.Command(os.Args[0], "app", kind)
	out, _ := cmd.StdoutPipe()
	return cmd, out
}
