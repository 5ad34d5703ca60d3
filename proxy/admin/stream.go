package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Event is one of a stream of server-sent events.
type Event struct {
	ID   uint64
	Name string
	Data any // written as JSON
}

// listen begins to hear of events; next waits for one until ctx is done.
type listen func() (next func(ctx context.Context) (Event, bool), end func())

// tick is a State at once, and then one each second.
func (a *Admin) tick() (next func(ctx context.Context) (Event, bool), end func()) {
	t, n := time.NewTicker(stateEvery), uint64(0)
	return func(ctx context.Context) (Event, bool) {
		if n > 0 {
			select {
			case <-t.C:
			case <-ctx.Done():
				return Event{}, false
			}
		}
		n++
		return Event{ID: n, Name: "state", Data: a.live()}, true
	}, t.Stop
}

// streams are the connections that hear of events.
type streams struct {
	life context.Context // of those who wait for something
	end  context.CancelFunc
	open atomic.Int32
	work sync.WaitGroup
}

const (
	mostStreams = 32
	stateEvery  = time.Second
	streamBeat  = 15 * time.Second // a comment, so that a client that is gone is found
	streamWrite = 10 * time.Second // for a client to take what it is told
)

func (s *streams) begin() { s.life, s.end = context.WithCancel(context.Background()) }

// close ends them, and waits for that.
func (s *streams) close() {
	s.end()
	s.work.Wait()
}

// stream takes the connection over: the server's time-out for an answer would
// end it after a minute.
func (a *Admin) stream(ctx *fasthttp.RequestCtx, to listen) {
	if a.streams.open.Add(1) > mostStreams {
		a.streams.open.Add(-1)
		mistake(ctx, fasthttp.StatusServiceUnavailable, fmt.Errorf("%d streams are open, want no more", mostStreams))
		return
	}
	next, end := to()
	a.streams.work.Add(1)
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(nc net.Conn) {
		defer a.streams.work.Done()
		defer a.streams.open.Add(-1)
		defer end()
		a.events(nc, next)
	})
}

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\nConnection: close\r\n\r\nretry: 1000\n\n"

func (a *Admin) events(nc net.Conn, next func(context.Context) (Event, bool)) {
	ended := make(chan struct{})
	stop := context.AfterFunc(a.streams.life, func() {
		defer close(ended)
		_ = nc.SetDeadline(time.Now())
	})
	defer func() {
		if !stop() {
			<-ended // nc is not ours any more behind our return
		}
	}()
	say := func(text []byte) bool {
		_ = nc.SetWriteDeadline(time.Now().Add(streamWrite))
		_, err := nc.Write(text)
		return err == nil
	}
	for ok := say([]byte(streamHead)); ok && a.streams.life.Err() == nil; {
		within, cancel := context.WithTimeout(a.streams.life, streamBeat)
		e, some := next(within)
		cancel()
		if !some {
			ok = say([]byte(":\n\n"))
			continue
		}
		data, err := json.Marshal(e.Data)
		if err != nil {
			panic("BUG: " + err.Error())
		}
		ok = say(fmt.Appendf(nil, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Name, data))
	}
}
