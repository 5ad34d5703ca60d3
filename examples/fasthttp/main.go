// Command fasthttp is an app that says which instance answers, counts a
// session's visits, and has a chat. It knows of no other instance.
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/valyala/fasthttp"
)

func main() {
	srv := &fasthttp.Server{Handler: serve}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-told
		_ = srv.Shutdown()
	}()
	if err := srv.ListenAndServe("127.0.0.1:" + os.Getenv("PORT")); err != nil {
		log.Fatal(err)
	}
	<-ended
}

func serve(ctx *fasthttp.RequestCtx) {
	if string(ctx.Path()) == "/chat" {
		chat(ctx)
		return
	}
	visit(ctx)
}

//go:embed page.html
var page string

type session struct {
	Visits int `json:"visits"`
}

func visit(ctx *fasthttp.RequestCtx) {
	var s session
	_ = json.Unmarshal(ctx.Request.Header.Peek("X-Session-Data"), &s)
	s.Visits++
	set, _ := json.Marshal(s)
	ctx.Response.Header.SetBytesV("X-Session-Set", set)
	ctx.Response.Header.Set("Vary", "Accept")
	text, kind := "%s", "text/plain"
	if bytes.Contains(ctx.Request.Header.Peek("Accept"), []byte("text/html")) {
		text, kind = page, "text/html"
	}
	ctx.SetContentType(kind)
	fmt.Fprintf(ctx, text, fmt.Sprintf("instance %s, visit %d\n", os.Getenv("MULTISERVER_INSTANCE"), s.Visits))
}
