package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/valyala/fasthttp"

	"multiserver/sync/session"
	"multiserver/sync/session/app"
	"multiserver/sync/session/memory"
)

// An application that holds a store itself. With redis.Open in place of
// memory.Open it may run many times over.
func ExampleDirect() {
	store := memory.Open(0)
	defer store.Close()
	keys := session.Keep(store, nil) // made once, for all who share the store
	defer keys.Close()
	sessions, err := session.New(session.Options{Store: store, Keys: keys})
	if err := errors.Join(err, keys.Wait(context.Background())); err != nil {
		fmt.Println(err)
		return
	}

	handler := app.Direct(sessions).HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := app.From(r.Context())
		var visits int
		s.Get("visits", &visits)
		s.Set("visits", visits+1)
		fmt.Fprintf(w, "visit %d", visits+1)
	}))

	request := httptest.NewRequest("GET", "/", nil)
	for range 3 {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		fmt.Println(answer.Body)
		request = httptest.NewRequest("GET", "/", nil)
		for _, c := range answer.Result().Cookies() {
			request.AddCookie(c)
		}
	}
	// Output:
	// visit 1
	// visit 2
	// visit 3
}

// An application behind the proxy. It has no store, and no client for one: the
// session comes and goes by header fields.
func ExampleBehind() {
	handler := app.Behind(app.Proxy{}).Fast(func(ctx *fasthttp.RequestCtx) {
		s := app.FromFast(ctx)
		var cart []string
		s.Get("cart", &cart)
		s.Set("cart", append(cart, string(ctx.QueryArgs().Peek("add"))))
		s.Delete("notice")
	})

	var ctx fasthttp.RequestCtx // what the proxy would send
	ctx.Request.SetRequestURI("/?add=bread")
	ctx.Request.Header.Set("X-Session-Id", "q83vASNFZ4mrze8BI0VniQ")
	ctx.Request.Header.Set("X-Session-Version", "4")
	ctx.Request.Header.Set("X-Session-Data", `{"cart":["milk"],"notice":"welcome"}`)
	handler(&ctx)
	fmt.Printf("%s\n", ctx.Response.Header.Peek("X-Session-Set"))
	// Output:
	// {"cart":["milk","bread"],"notice":null}
}
