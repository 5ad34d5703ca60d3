package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// echoing is an upstream whose WebSockets answer each message with the same.
func echoing(t *testing.T, closed chan error) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, b, err := c.Read(context.Background())
			if err == nil {
				err = c.Write(context.Background(), kind, b)
			}
			if err != nil {
				closed <- err
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// A WebSocket goes on while others drain, and hears of the end by a Close that
// leaves it the time to answer: nothing is cut off.
func TestDrainTellsWebSocketsAtItsEnd(t *testing.T) {
	const n, drain = 5, 10 * time.Second // the last quarter is long even for a busy machine
	closed := make(chan error, n)
	r := start(t, "--upstream "+echoing(t, closed).URL, "--drain-timeout "+drain.String())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all sync.WaitGroup
	var open sync.WaitGroup
	var stopped time.Time
	stop := make(chan struct{})
	for range n {
		open.Add(1)
		all.Go(func() {
			c, _, err := websocket.Dial(ctx, "ws://"+r.Addrs()[0].String()+"/", nil)
			open.Done()
			if err != nil {
				t.Error(err)
				return
			}
			defer c.CloseNow()
			<-stop
			for err == nil {
				if err = c.Write(ctx, websocket.MessageText, []byte("tick")); err == nil {
					_, _, err = c.Read(ctx)
				}
				time.Sleep(10 * time.Millisecond)
			}
			if took := time.Since(stopped); took < drain/2 {
				t.Errorf("told after %v", took)
			}
			if websocket.CloseStatus(err) != websocket.StatusGoingAway {
				t.Errorf("the client saw %v", err)
			}
		})
	}
	open.Wait()
	stopped = time.Now()
	r.stop()
	close(stop)
	all.Wait()
	for range n {
		if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("the upstream saw %v", err)
		}
	}
	r.wait(t)
	if told := r.proxy.Stats.TunnelsTold.Load(); told != n {
		t.Errorf("%d told", told)
	}
}
