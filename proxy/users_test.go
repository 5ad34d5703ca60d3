package proxy_test

import (
	"context"
	"io"
	"net"
	"testing"

	"github.com/coder/websocket"

	"multiserver/proxy"
)

func TestRoutesAreIdleBehindTheirLastExchange(t *testing.T) {
	asked, rest := make(chan struct{}, 1), make(chan struct{})
	var old, mine *proxy.Routes
	addr, p := startProxyWith(t, func(o *proxy.Options) {
		was, is := o.Route, o.Route
		is.Pool = poolOf(t, o, "new")
		old, mine = &proxy.Routes{All: []*proxy.Route{&was}}, &proxy.Routes{All: []*proxy.Route{&is}}
	}, trickle(t, "whole", asked, rest))
	p.SetRoutes(old)
	nc := dial(t, addr)
	io.WriteString(nc, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-asked
	p.SetRoutes(mine)
	if _, name := fetch(t, addr, request("/")); name != "new" {
		t.Errorf("%q by the new routes", name)
	}
	if old.Idle() {
		t.Error("idle, with an exchange under way")
	}
	close(rest)
	await(t, "the old routes to be idle", old.Idle)
	_ = nc.(*net.TCPConn).CloseWrite()
	await(t, "the new ones to be idle", mine.Idle)
}

// A tunnel may last for weeks, over any number of reloads.
func TestATunnelKeepsNoRoutes(t *testing.T) {
	echo, _ := echoServer(t, websocket.CompressionDisabled)
	var old, mine *proxy.Routes
	addr, p := startProxyWith(t, func(o *proxy.Options) {
		was, is := o.Route, o.Route
		old, mine = &proxy.Routes{All: []*proxy.Route{&was}}, &proxy.Routes{All: []*proxy.Route{&is}}
	}, echo)
	p.SetRoutes(old)
	c := join(t, addr, websocket.CompressionDisabled)
	p.SetRoutes(mine)
	await(t, "the old routes to be idle", old.Idle)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(ctx); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}
