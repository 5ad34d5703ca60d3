// Command fasthttp is an app that says which instance answers, and counts a
// session's visits.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/valyala/fasthttp"
)

func main() {
	srv := &fasthttp.Server{Handler: visit}
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

type session struct {
	Visits int `json:"visits"`
}

func visit(ctx *fasthttp.RequestCtx) {
	var s session
	_ = json.Unmarshal(ctx.Request.Header.Peek("X-Session-Data"), &s)
	s.Visits++
	text, _ := json.Marshal(s)
	ctx.Response.Header.SetBytesV("X-Session-Set", text)
	fmt.Fprintf(ctx, "instance %s, visit %d\n", os.Getenv("MULTISERVER_INSTANCE"), s.Visits)
}
