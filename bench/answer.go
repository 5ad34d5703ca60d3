//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// answer is the floor of what a stored answer costs in Go: it gives the origin's answer to one
// path to every request for it, and knows no other part of HTTP but where a head ends. One
// goroutine, one read and one write for each: what is left is the price of Go's network.
func answer(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("want PORT ORIGIN_PORT, have %q", args)
	}
	origin, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", loopback+":"+args[0])
	if err != nil {
		return err
	}
	a := answers{origin: origin}
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		go a.serve(c)
	}
}

// answers are the origin's, by size.
type answers struct {
	origin int
	known  sync.Map // string to []byte
}

func (a *answers) serve(c net.Conn) {
	defer c.Close()
	var size, out []byte // of the requests so far
	buf := make([]byte, 4<<10)
	for n := 0; ; {
		k, err := c.Read(buf[n:])
		if n += k; err != nil || n == len(buf) {
			return
		}
		if !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			continue
		}
		line, _, _ := bytes.Cut(buf[:n], []byte(" HTTP/1.1\r\n"))
		if last := line[bytes.LastIndexByte(line, '/')+1:]; !bytes.Equal(last, size) {
			size = bytes.Clone(last)
			if out, err = a.of(string(size)); err != nil {
				return
			}
		}
		if _, err := c.Write(out); err != nil {
			return
		}
		n = 0
	}
}

func (a *answers) of(size string) ([]byte, error) {
	if out, ok := a.known.Load(size); ok {
		return out.([]byte), nil
	}
	r, err := ask(a.origin, Scenario{Method: "GET", Path: "/keep/" + size})
	if err != nil {
		return nil, err
	}
	a.known.Store(size, r.Bytes)
	return r.Bytes, nil
}
