//go:build linux

package main

import (
	"bytes"
	"fmt"
)

// The key and its answer are those of RFC 6455 §1.3.
const (
	upgrade = "GET /chat HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	switched = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

// tunnel is a message of 128 bytes and its echo.
func (s *stage) tunnel() (func() error, error) {
	client, err := s.open(echoing)
	if err != nil {
		return nil, err
	}
	if err := client.send([]byte(upgrade)); err != nil {
		return nil, err
	}
	if got, err := client.message(0); err != nil || !bytes.HasPrefix(got, []byte("HTTP/1.1 101 ")) {
		return nil, fmt.Errorf("no tunnel: %v %.300q", err, got)
	}
	const fin, binary, masked, long = 0x80, 2, 0x80, 126
	frame := append([]byte{fin | binary, masked | long, 0, 128, 0, 0, 0, 0}, make([]byte, 128)...)
	return func() error {
		if err := client.send(frame); err != nil {
			return err
		}
		return client.skip(len(frame))
	}, nil
}

func echoing(p *peer) error {
	if _, err := p.message(0); err != nil {
		return err
	}
	for out := []byte(switched); ; {
		if err := p.send(out); err != nil {
			return err
		}
		var err error
		if out, err = p.some(); err != nil {
			return err
		}
	}
}
