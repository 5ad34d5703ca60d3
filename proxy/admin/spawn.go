package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Spawn is what the pages about an app's processes ask. A status of 0 is 200;
// with another one err is told.
type Spawn struct {
	Status  func() any                                                                 // of all pools
	Restart func(ctx context.Context, pool string) (answer any, status int, err error) // waits for the end of a roll
	Scale   func(pool string, instances int) (answer any, status int, err error)

	// Listen begins to hear of events; next waits for one until ctx is done.
	Listen func() (next func(ctx context.Context) (Event, bool), end func())
}

// Event is one of the stream of GET /api/events.
type Event struct {
	ID   uint64
	Name string
	Data any // written as JSON
}

// processOrder is the body of a POST below /api/spawn. Pool may be left out
// where only one has processes.
type processOrder struct {
	Pool      string `json:"pool"`
	Instances int    `json:"instances"`
}

var errNoProcesses = errors.New("there are no processes: the server was started without --spawn N -- command")

// processes are the pages below /api/spawn, and the events. It tells whether
// the path was one of them.
func (a *Admin) processes(ctx *fasthttp.RequestCtx, path string) bool {
	var do func(o processOrder) (any, int, error)
	read := func() any { return a.spawn.Status() }
	switch path {
	case "/api/spawn":
	case "/api/spawn/scale":
		do = func(o processOrder) (any, int, error) { return a.spawn.Scale(o.Pool, o.Instances) }
	case "/api/spawn/restart":
		read = nil
		do = func(o processOrder) (any, int, error) { return a.spawn.Restart(a.streams.life, o.Pool) }
	case "/api/events":
		if a.spawn != nil && ctx.IsGet() {
			a.stream(ctx)
			return true
		}
	default:
		return false
	}
	switch {
	case a.spawn == nil:
		mistake(ctx, fasthttp.StatusNotFound, errNoProcesses)
	case ctx.IsPost() && do != nil:
		a.order(ctx, do)
	case ctx.IsGet() && read != nil:
		asJSON(ctx, fasthttp.StatusOK, read())
	default:
		mistake(ctx, fasthttp.StatusMethodNotAllowed, fmt.Errorf("%s is not for %s", path, ctx.Method()))
	}
	return true
}

// order takes one, as purge does: what it asks of the Content-Type keeps pages
// in a browser of this machine out.
func (a *Admin) order(ctx *fasthttp.RequestCtx, do func(processOrder) (any, int, error)) {
	if !isJSON(ctx.Request.Header.ContentType()) {
		mistake(ctx, fasthttp.StatusUnsupportedMediaType, errors.New("want Content-Type: application/json"))
		return
	}
	var o processOrder
	d := json.NewDecoder(bytes.NewReader(ctx.PostBody()))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil && len(ctx.PostBody()) > 0 {
		mistake(ctx, fasthttp.StatusBadRequest, fmt.Errorf(`body: not such a JSON object (%w), want one such as {"pool":"default","instances":4}`, err))
		return
	}
	answer, status, err := do(o)
	switch {
	case err != nil:
		mistake(ctx, status, err)
	default:
		asJSON(ctx, max(status, fasthttp.StatusOK), answer)
	}
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
func (a *Admin) stream(ctx *fasthttp.RequestCtx) {
	if a.streams.open.Add(1) > mostStreams {
		a.streams.open.Add(-1)
		mistake(ctx, fasthttp.StatusServiceUnavailable, fmt.Errorf("%d streams are open, want no more", mostStreams))
		return
	}
	next, end := a.spawn.Listen()
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
