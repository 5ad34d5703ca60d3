//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
)

// A peer is an end of a connection that is no part of what is measured: the
// client's or the origin's. It counts its own system calls, which are taken
// off.
type peer struct {
	raw   syscall.RawConn
	calls *atomic.Int64 // those in vain included
	buf   []byte
	out   []byte // what is to be written
	n     int    // what the last call did
	err   error
	read  func(fd uintptr) bool // made once: a closure for each call would be garbage
	write func(fd uintptr) bool
}

func newPeer(nc net.Conn, calls *atomic.Int64) (*peer, error) {
	raw, err := nc.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &peer{raw: raw, calls: calls, buf: make([]byte, 64<<10)}
	p.read = func(fd uintptr) bool {
		p.calls.Add(1)
		p.n, p.err = syscall.Read(int(fd), p.buf)
		return p.err != syscall.EAGAIN
	}
	p.write = func(fd uintptr) bool {
		p.calls.Add(1)
		p.n, p.err = syscall.Write(int(fd), p.out)
		return p.err != syscall.EAGAIN
	}
	return p, nil
}

// some is what has come, one byte at least. It is good until the next call.
func (p *peer) some() ([]byte, error) {
	if err := p.raw.Read(p.read); err != nil {
		return nil, err
	}
	if p.err != nil || p.n == 0 {
		return nil, fmt.Errorf("read: the connection has ended (%v)", p.err)
	}
	return p.buf[:p.n], nil
}

// send writes all of b.
func (p *peer) send(b []byte) error {
	for p.out = b; len(p.out) > 0; p.out = p.out[p.n:] {
		if err := p.raw.Write(p.write); err != nil {
			return err
		}
		if p.err != nil {
			return fmt.Errorf("write: %w", p.err)
		}
	}
	return nil
}

// skip reads n bytes and drops them.
func (p *peer) skip(n int) error {
	for n > 0 {
		b, err := p.some()
		if err != nil {
			return err
		}
		n -= len(b)
	}
	return nil
}

// message reads a head and a body of so many bytes.
func (p *peer) message(body int) (all []byte, err error) {
	for {
		b, err := p.some()
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
		if end := bytes.Index(all, []byte("\r\n\r\n")); end >= 0 && len(all) >= end+4+body {
			return all, nil
		}
	}
}
