//go:build linux

package server

import (
	"context"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// resting waits until n connections are open and none has a worker.
func resting(t *testing.T, s *running, n int64) {
	t.Helper()
	await(t, "all to rest", func() bool {
		return s.crowd.open.Load() == n && s.front.GetOpenConnectionsCount() == 0
	})
}

// Who has no worker is served again, has a place among those who may be
// connected, and ends with the drain.
func TestRestingClientsAreClients(t *testing.T) {
	a := newApp(t)
	s := start(t, "--upstream "+a.URL, "--max-connections 3")
	var in []*client
	for range 3 {
		c := s.dial(t)
		c.want("/", "200 hello")
		in = append(in, c)
	}
	for range 2 {
		resting(t, s, 3)
		if got, last := s.dial(t).answer(); !strings.HasPrefix(got, "503 ") || !last {
			t.Errorf("%q, last %v", got, last)
		}
		for _, c := range in {
			c.want("/", "200 hello")
		}
	}
	in[0].nc.Close()
	await(t, "a place", func() bool { return s.crowd.open.Load() == 2 })
	resting(t, s, 2)
	s.stop()
	s.wait(t)
	if n := s.proxy.Stats.Clients.Load(); n != 0 {
		t.Errorf("%d clients are left", n)
	}
}

func TestRestingTunnelsGoOn(t *testing.T) {
	closed := make(chan error, 5)
	for _, log := range []string{"off", t.TempDir() + "/log"} {
		s := start(t, "--upstream "+echoing(t, closed).URL, "--drain-timeout 1m", "--access-log "+log)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, _, err := websocket.Dial(ctx, "ws://"+s.Addrs()[0].String()+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		for range 2 {
			resting(t, s, 1)
			if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
				t.Fatal(err)
			}
			if _, b, err := c.Read(ctx); err != nil || string(b) != "hello" {
				t.Fatalf("%q, %v", b, err)
			}
		}
		resting(t, s, 1)
		s.stop()
		s.endTunnels(0) // as late in a drain; there is time to answer
		if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Error(err)
		}
		if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Error(err)
		}
		s.wait(t)
		if up, n := s.proxy.Stats.Upgraded.Load(), s.proxy.Stats.Classes[1].Load(); up != 0 || n != 1 {
			t.Errorf("%d tunnels open, %d ended", up, n)
		}
	}
}
