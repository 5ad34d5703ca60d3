//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

func get(fields string) []byte {
	return []byte("GET /1k HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test\r\nAccept: */*\r\n" + fields + "\r\n")
}

func post(body int) []byte {
	return []byte("POST / HTTP/1.1\r\nHost: example.org\r\nContent-Length: " + strconv.Itoa(body) + "\r\n\r\n" + strings.Repeat("x", body))
}

func answer(fields string, body int) []byte {
	return []byte("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\n" + fields +
		"Content-Length: " + strconv.Itoa(body) + "\r\n\r\n" + strings.Repeat("x", body))
}

// bodyOf is how long it is.
func bodyOf(message []byte) int {
	return len(message) - bytes.Index(message, []byte("\r\n\r\n")) - 4
}

// exchange is a request with a body of so many bytes, and its answer.
func (s *stage) exchange(request []byte, body int, answer []byte, flags ...string) (func() error, error) {
	client, err := s.open(answering(body, answer), flags...)
	if err != nil {
		return nil, err
	}
	return client.again(request, bodyOf(answer))
}

// answering gives all requests the same answer, but for the first ones.
func answering(body int, always []byte, first ...[]byte) func(p *peer) error {
	return func(p *peer) error {
		for {
			if err := p.request(body); err != nil {
				return err
			}
			out := always
			if len(first) > 0 {
				out, first = first[0], first[1:]
			}
			if err := p.send(out); err != nil {
				return err
			}
		}
	}
}

// request reads one whose body is so long. A head comes in one piece, and the
// search for its end is no part of what is measured.
func (p *peer) request(body int) error {
	b, err := p.some()
	if err != nil {
		return err
	}
	head := len(b)
	if body > 0 {
		head = bytes.Index(b, []byte("\r\n\r\n")) + 4
	}
	return p.skip(head + body - len(b))
}

// again asks the same each time. Answers are as long as the second one: the
// first may have been stored.
func (p *peer) again(request []byte, body int) (func() error, error) {
	var got []byte
	for range 2 {
		if err := p.send(request); err != nil {
			return nil, err
		}
		var err error
		if got, err = p.message(body); err != nil {
			return nil, err
		}
	}
	length := len(got)
	return func() error {
		if err := p.send(request); err != nil {
			return err
		}
		return p.skip(length)
	}, nil
}

// sessions are there at once with a key that is given: the first request begins one.
var sessions = []string{"--session=memory", "--session-key=nobody-keeps-it-secret"}

// session is an exchange of a client who has one.
func (s *stage) session() (func() error, error) {
	begins := answer("X-Session-Set: {\"user\":42,\"name\":\"Ann\",\"cart\":[1,2,3]}\r\n", 1<<10)
	client, err := s.open(answering(0, answer("", 1<<10), begins), sessions...)
	if err != nil {
		return nil, err
	}
	if err := client.send(get("")); err != nil {
		return nil, err
	}
	got, err := client.message(1 << 10)
	if err != nil {
		return nil, err
	}
	_, cookie, ok := bytes.Cut(got, []byte("Set-Cookie: "))
	if !ok {
		return nil, fmt.Errorf("no session begins: %.300q", got)
	}
	cookie, _, _ = bytes.Cut(cookie, []byte(";"))
	return client.again(get("Cookie: theme=dark; "+string(cookie)+"\r\n"), 1<<10)
}
