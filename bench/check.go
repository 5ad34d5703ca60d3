//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// A Reply is one answer, read and as it was on the wire.
type Reply struct {
	Status int
	ETag   string
	Body   []byte
	Wire   []byte // the whole
}

// ask sends the scenario's request over a connection of its own.
func ask(port int, s Scenario) (*Reply, error) {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(5 * time.Second))

	var req bytes.Buffer
	fmt.Fprintf(&req, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", s.Method, s.Path, port)
	if s.Body > 0 {
		fmt.Fprintf(&req, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", s.Body)
	}
	req.WriteString("\r\n")
	req.Write(bytes.Repeat([]byte("x"), s.Body))
	if _, err := c.Write(req.Bytes()); err != nil {
		return nil, err
	}

	var wire bytes.Buffer
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &wire)), nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	return &Reply{res.StatusCode, res.Header.Get("ETag"), body, wire.Bytes()}, err
}

// check asks through the server under test and wants the origin's answer, to the byte. A fast
// proxy that answers something else is not measured.
func check(p *Process, s Scenario, origin *Reply) (*Reply, error) {
	got, err := ask(p.Port, s)
	if err == nil {
		err = got.same(origin)
	}
	if err != nil {
		return nil, fmt.Errorf("%s does not pass on the origin's answer in %s: %w; it said:\n%s", p.Name, s.Name, err, p.said())
	}
	return got, nil
}

func (r *Reply) same(want *Reply) error {
	switch {
	case r.Status != want.Status:
		return fmt.Errorf("status %d, want %d, body %.200q", r.Status, want.Status, r.Body)
	case r.ETag != want.ETag:
		return fmt.Errorf("ETag %q, want %q", r.ETag, want.ETag)
	case len(r.Body) != len(want.Body):
		return fmt.Errorf("a body of %d bytes, want %d", len(r.Body), len(want.Body))
	case !bytes.Equal(r.Body, want.Body):
		return errors.New("a body that differs")
	}
	return nil
}
