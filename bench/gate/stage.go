//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"

	"multiserver/proxy/config"
	"multiserver/proxy/server"
)

// A stage is where a scene is played: the whole server as flags set it up, a
// client and an origin, in this process. It is there until that ends.
type stage struct {
	calls atomic.Int64 // of client and origin
}

// open starts a server before an origin that does as it is told on each
// connection, and connects a client.
func (s *stage) open(origin func(p *peer) error, flags ...string) (client *peer, err error) {
	up, err := s.listen(origin)
	if err != nil {
		return nil, err
	}
	conf, err := parse(append(flags, "--listen=127.0.0.1:0", "--access-log=off", "--upstream=http://"+up))
	if err != nil {
		return nil, err
	}
	ours, err := server.New(context.Background(), conf, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return nil, err
	}
	go ours.Run(context.Background())
	nc, err := net.Dial("tcp", ours.Addrs()[0].String())
	if err != nil {
		return nil, err
	}
	return newPeer(nc, &s.calls)
}

func parse(flags []string) (*config.Config, error) {
	raw := config.Raw{}
	for _, f := range flags {
		flag, value, _ := strings.Cut(f, "=")
		raw.Add(strings.TrimPrefix(flag, "--"), flag, value)
	}
	return config.Parse(raw)
}

func (s *stage) listen(origin func(p *peer) error) (addr string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			go s.serve(nc, origin)
		}
	}()
	return ln.Addr().String(), nil
}

func (s *stage) serve(nc net.Conn, origin func(p *peer) error) {
	defer nc.Close()
	p, err := newPeer(nc, &s.calls)
	if err == nil {
		err = origin(p)
	}
	fmt.Fprintln(os.Stderr, "origin:", err) // it goes on until the process ends
}
