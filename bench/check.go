//go:build linux

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"time"
)

// A Reply is one answer, as it was on the wire.
type Reply struct {
	Status int
	ETag   string
	Length int64  // of the body
	Sum    uint32 // of the body
	Wire   int64  // bytes of the whole
	Bytes  []byte // the first replyKept of it
}

// replyKept is how much of an answer is held: all but the very large are whole.
const replyKept = 2 << 20

// spool counts what is written to it, and keeps its begin.
type spool struct {
	n    int64
	kept []byte
}

func (s *spool) Write(b []byte) (int, error) {
	s.n += int64(len(b))
	s.kept = append(s.kept, b[:min(len(b), replyKept-len(s.kept))]...)
	return len(b), nil
}

// ask sends the scenario's request over a connection of its own.
func ask(port int, s Scenario) (*Reply, error) {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(2 * time.Minute)) // a gigabyte takes its time

	var req bytes.Buffer
	fmt.Fprintf(&req, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", s.Method, s.path(0), port)
	if s.Body > 0 {
		fmt.Fprintf(&req, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", s.Body)
	}
	req.WriteString("\r\n")
	req.Write(bytes.Repeat([]byte("x"), s.Body))
	if _, err := c.Write(req.Bytes()); err != nil {
		return nil, err
	}

	var wire spool
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &wire)), nil)
	if err != nil {
		return nil, err
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(sum, res.Body)
	return &Reply{res.StatusCode, res.Header.Get("ETag"), n, sum.Sum32(), wire.n, wire.kept}, err
}

// check asks through the server under test and wants the origin's answer, to the byte. A fast
// proxy that answers something else is not measured.
func check(p *Process, s Scenario, origin *Reply) (*Reply, error) {
	var got *Reply
	err := retry(func() (err error) {
		if got, err = ask(p.Port, s); err != nil {
			return err
		}
		return got.same(origin)
	})
	if err != nil {
		return nil, fmt.Errorf("%s does not pass on the origin's answer in %s: %w; it said:\n%s", p.Name, s.Name, err, p.said())
	}
	return got, nil
}

// retry does it again for a moment: there are servers that listen before they know their routes.
func retry(do func() error) (err error) {
	for end := time.Now().Add(15 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		if err = do(); err == nil || time.Now().After(end) {
			return err
		}
	}
}

func (r *Reply) same(want *Reply) error {
	switch {
	case r.Status != want.Status:
		return fmt.Errorf("status %d, want %d: %.300q", r.Status, want.Status, r.Bytes)
	case r.ETag != want.ETag:
		return fmt.Errorf("ETag %q, want %q", r.ETag, want.ETag)
	case r.Length != want.Length:
		return fmt.Errorf("a body of %d bytes, want %d", r.Length, want.Length)
	case r.Sum != want.Sum:
		return errors.New("a body that differs")
	}
	return nil
}
