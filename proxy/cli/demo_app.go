package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// demoApp is the small app of `multiserver demo`: a few instances of one
// program, which could as well be processes or machines.
type demoApp struct {
	instances []*instance
	fails     atomic.Uint64 // calls of /fail: every other one breaks
}

// instance can be stopped and started again at the same address.
type instance struct {
	app    *demoApp
	number int
	life   context.Context // the demo's
	served atomic.Uint64

	mu     sync.Mutex
	addr   string           // chosen by the kernel at the first start
	server *fasthttp.Server // nil while stopped
	stop   context.CancelFunc
}

// startApp starts n instances, whose streams and pauses end with life.
func startApp(life context.Context, n int) (*demoApp, error) {
	app := &demoApp{}
	for i := range n {
		in := &instance{app: app, number: i + 1, life: life, addr: "127.0.0.1:0"}
		app.instances = append(app.instances, in)
		if err := in.start(); err != nil {
			app.close()
			return nil, err
		}
	}
	return app, nil
}

func (a *demoApp) urls() (urls []string) {
	for _, in := range a.instances {
		urls = append(urls, "http://"+in.addr)
	}
	return urls
}

func (a *demoApp) close() {
	for _, in := range a.instances {
		in.halt()
	}
}

func (in *instance) start() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.server != nil {
		return nil
	}
	ln, err := net.Listen("tcp", in.addr)
	if err != nil {
		return fmt.Errorf("demo: instance %d: %w", in.number, err)
	}
	in.addr = ln.Addr().String()
	life, stop := context.WithCancel(in.life)
	in.stop = stop
	in.server = &fasthttp.Server{
		Name:              "instance-" + strconv.Itoa(in.number),
		Handler:           func(ctx *fasthttp.RequestCtx) { in.serve(life, ctx) },
		StreamRequestBody: true,
		CloseOnShutdown:   true,
		Logger:            log.New(io.Discard, "", 0), // broken connections are the show
	}
	go in.server.Serve(ln)
	return nil
}

// halt refuses new connections at once, and ends the others after a moment.
func (in *instance) halt() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.server == nil {
		return
	}
	in.stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	in.server.ShutdownWithContext(ctx)
	in.server = nil
}

func (in *instance) serve(life context.Context, ctx *fasthttp.RequestCtx) {
	count := in.served.Add(1)
	switch path := string(ctx.Path()); {
	case path == "/":
		in.say(ctx, "hello, my request number %d", count)
	case path == "/slow":
		pause(life, 3*time.Second)
		in.say(ctx, "that took a while")
	case path == "/report":
		pause(life, 2*time.Second)
		ctx.Response.Header.Set("Cache-Control", "max-age=10")
		in.say(ctx, "that took two seconds, my request number %d", count)
	case path == "/fail":
		in.fail(ctx)
	case path == "/stream":
		in.stream(life, ctx)
	case path == "/upload":
		in.upload(ctx)
	case path == "/headers":
		in.say(ctx, "this is what came:\n\n%s", ctx.Request.Header.RawHeaders())
	case strings.HasPrefix(path, "/stop/"):
		in.command(ctx, path, "/stop/")
	case strings.HasPrefix(path, "/start/"):
		in.command(ctx, path, "/start/")
	default:
		in.say(ctx, "there is nothing at %s", path)
		ctx.SetStatusCode(fasthttp.StatusNotFound)
	}
}

func (in *instance) say(ctx *fasthttp.RequestCtx, format string, args ...any) {
	fmt.Fprintf(ctx, "instance %d: "+format+"\n", append([]any{in.number}, args...)...)
}

// fail breaks every other connection that asks for it, so that the proxy's
// second try is the one that is answered.
func (in *instance) fail(ctx *fasthttp.RequestCtx) {
	if in.app.fails.Add(1)%2 == 0 {
		in.say(ctx, "the first connection broke, this is the second try (a GET may be sent again)")
		return
	}
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(c net.Conn) { c.Close() })
}

// stream sends an event a second until someone hangs up.
func (in *instance) stream(life context.Context, ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/event-stream")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	ctx.SetBodyStreamWriter(func(w *bufio.Writer) {
		for n := 1; life.Err() == nil; n++ {
			fmt.Fprintf(w, "data: instance %d, event %d, %s\n\n", in.number, n, time.Now().Format(time.TimeOnly))
			if w.Flush() != nil {
				return
			}
			pause(life, time.Second)
		}
	})
}

func (in *instance) upload(ctx *fasthttp.RequestCtx) {
	n, err := io.Copy(io.Discard, ctx.RequestBodyStream())
	if err != nil {
		ctx.Error(fmt.Sprintf("after %d bytes: %v\n", n, err), fasthttp.StatusBadRequest)
		return
	}
	in.say(ctx, "took %d bytes", n)
}

// command stops or starts an instance, whichever the proxy brought it to.
func (in *instance) command(ctx *fasthttp.RequestCtx, path, verb string) {
	n, err := strconv.Atoi(path[len(verb):])
	if err != nil || n < 1 || n > len(in.app.instances) {
		ctx.Error(fmt.Sprintf("want %s1 to %s%d\n", verb, verb, len(in.app.instances)), fasthttp.StatusNotFound)
		return
	}
	if !ctx.IsPost() {
		ctx.Error("want curl -X POST: a GET must not change anything\n", fasthttp.StatusMethodNotAllowed)
		return
	}
	which := in.app.instances[n-1]
	if verb == "/stop/" {
		go which.halt() // it may be this one, and this answer should leave first
		in.say(ctx, "instance %d stops", n)
		return
	}
	if err := which.start(); err != nil {
		ctx.Error(err.Error()+"\n", fasthttp.StatusInternalServerError)
		return
	}
	in.say(ctx, "instance %d runs", n)
}

// pause waits for d, or until life is over.
func pause(life context.Context, d time.Duration) {
	select {
	case <-life.Done():
	case <-time.After(d):
	}
}
