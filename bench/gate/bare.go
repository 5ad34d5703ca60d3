//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"multiserver/pool"
	"multiserver/proxy/wire"
)

// Parts of a request by themselves: no connection, no system call.

func parsing() func() error {
	head := []byte("GET /index.html?x=1 HTTP/1.1\r\nHost: example.org\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
		"Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: keep-alive\r\n" +
		"Cookie: session=0123456789abcdef; theme=dark\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n\r\n")
	var q wire.Request
	return func() error {
		_, err := q.Parse(head)
		return err
	}
}

func picking() func() error {
	guard := wire.NewGuard()
	ups := pool.New(pool.Options{Guard: guard, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	var all []pool.Target
	for i := range 10 {
		addr := fmt.Sprintf("127.0.0.1:%d", 3000+i)
		all = append(all, pool.Target{Name: "http://" + addr, Network: "tcp", Addr: addr, Host: addr, Weight: 1})
	}
	ups.Set(all)
	var tried pool.Tried
	return func() error {
		tried.Reset()
		u := ups.Pick(0, &tried)
		if u == nil {
			return errors.New("no upstream can be had")
		}
		u.Done(nil, 200)
		return nil
	}
}
