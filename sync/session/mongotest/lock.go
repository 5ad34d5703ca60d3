package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// proxy hands messages on, and one write at a time.
type proxy struct {
	inner string // the server's Unix socket
	write sync.Mutex
}

func (p *proxy) serve(l net.Listener) error {
	for {
		client, err := l.Accept()
		if err != nil {
			return err
		}
		go p.relay(client)
	}
}

// relay asks one question after the other: a client that wants more at once
// opens more connections.
func (p *proxy) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.inner)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		question, err := message(client)
		if err != nil {
			return
		}
		answer, err := p.ask(server, question)
		if err != nil {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func (p *proxy) ask(server net.Conn, question []byte) ([]byte, error) {
	if writes(question) {
		p.write.Lock()
		defer p.write.Unlock()
	}
	for try := 1; ; try++ {
		if _, err := server.Write(question); err != nil {
			return nil, err
		}
		answer, err := message(server)
		if err != nil || try == tries || !bytes.Contains(answer, interrupted) {
			return answer, err
		}
	}
}

// interrupted is SQLite's error where the end of one statement, such as that of
// a cursor that has waited long enough, meets the next one on the same
// connection. That has done nothing, and is asked once more.
var interrupted = []byte("interrupted (9)")

const tries = 10

const (
	headLen = 16
	longest = 48 << 20 // MongoDB's limit of a message
	opMsg   = 2013
)

var errLength = errors.New("not a message of MongoDB's")

// message reads one as a whole.
func message(r io.Reader) ([]byte, error) {
	var head [headLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(head[:]))
	if n < headLen || n > longest {
		return nil, errLength
	}
	m := make([]byte, n)
	copy(m, head[:])
	_, err := io.ReadFull(r, m[headLen:])
	return m, err
}

// writes tells whether a question changes documents: the name of a command is
// the first key of its document, which follows head, flags and the byte 0 of
// its section, its own length and the type of that key.
func writes(question []byte) bool {
	const name = headLen + 4 + 1 + 4 + 1
	if len(question) < name || binary.LittleEndian.Uint32(question[12:]) != opMsg {
		return false
	}
	key, _, _ := bytes.Cut(question[name:], []byte{0})
	switch string(key) {
	case "insert", "update", "delete", "findAndModify", "findandmodify", "create", "createIndexes":
		return true
	}
	return false
}
