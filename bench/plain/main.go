// Plain is the reverse proxy that fasthttp's users write in twenty lines: a request in, the same to
// the origin, its answer back. It strips nothing, bounds nothing, checks nothing; a client's request
// is read and written by fasthttp as they come. The comparison has it for what all the rest costs.
//
//	plain LISTEN_ADDRESS ORIGIN_ADDRESS
package main

import (
	"log"
	"os"

	"github.com/valyala/fasthttp"
)

func main() {
	origin := &fasthttp.HostClient{Addr: os.Args[2], MaxConns: 1 << 16, MaxResponseBodySize: 1 << 30}
	s := &fasthttp.Server{MaxRequestBodySize: 1 << 30, Handler: func(x *fasthttp.RequestCtx) {
		if err := origin.Do(&x.Request, &x.Response); err != nil {
			x.Error(err.Error(), fasthttp.StatusBadGateway)
		}
	}}
	log.Fatal(s.ListenAndServe(os.Args[1]))
}
