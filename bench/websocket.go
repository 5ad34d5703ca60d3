//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What is asked of tunnels: messages that come back, and nothing at all.
var (
	wsSizes = []int{128, 16 << 10}
	wsConns = []int{64, 1000}
)

const (
	wsSlice = 100 * time.Millisecond
	wsIdle  = 5000
	wsRest  = 3 * time.Second // before memory is looked at
)

// websocket measures what a message through a tunnel costs, and an idle tunnel. A message and its
// echo count as one. Client and origin are this program; servers take turns by slices, so that
// all see the same machine.
func websocket(ctx context.Context, f *Field) error {
	echo, err := newEcho()
	if err != nil {
		return err
	}
	defer echo.ln.Close()
	f.table = [][]string{{"what", "bytes", "conns", "server", "round", "messages_per_s", "cpu_us_message", "rss_bytes_tunnel"}}
	for _, size := range wsSizes {
		for _, conns := range wsConns {
			if err := f.messages(ctx, echo, size, conns); err != nil {
				return err
			}
		}
	}
	return f.idleTunnels(ctx, echo)
}

// wsServers are those who take part; plain ones have small buffers, for the sake of memory.
func (f *Field) wsServers(plain bool) []*Server {
	all := []*Server{f.Ours, nginx("nginx", "nginx-websocket.conf"), haproxy("haproxy", "haproxy-websocket.cfg")}
	if plain {
		all = append(all, nginx("nginx-plain", "nginx-websocket.conf"), haproxy("haproxy-plain", "haproxy-websocket.cfg"))
	}
	return all
}

func (f *Field) wsStart(s *Server, echo *echo) (*Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(f.Dir, s.Name+"-")
	if err != nil {
		return nil, err
	}
	os.Chmod(dir, 0o755)
	return s.start(f.CPU, place{Dir: dir, Port: port, Origin: echo.port(), Plain: strings.HasSuffix(s.Name, "-plain")})
}

// wsTurn is a server in one question, with its figures by round.
type wsTurn struct {
	*Server
	p     *Process
	conns []*wsConn
	cost  []float64 // microseconds of a message
	rate  []float64
}

func (f *Field) messages(ctx context.Context, echo *echo, size, conns int) error {
	echo.size.Store(int64(size))
	var turns []*wsTurn
	defer func() {
		for _, t := range turns {
			for _, c := range t.conns {
				c.Close()
			}
			t.p.stop()
		}
	}()
	for _, s := range f.wsServers(false) {
		p, err := f.wsStart(s, echo)
		if err != nil {
			return err
		}
		t := &wsTurn{Server: s, p: p}
		turns = append(turns, t)
		if t.conns, err = openTunnels(p.addr(), conns, size); err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if _, _, err := t.slice(5 * wsSlice); err != nil { // warm
			return err
		}
	}
	for n := range f.Rounds {
		if err := f.wsRound(ctx, turns); err != nil {
			return err
		}
		for _, t := range turns {
			f.table = append(f.table, []string{"messages", strconv.Itoa(size), strconv.Itoa(conns), t.Name, strconv.Itoa(n + 1),
				fmt.Sprintf("%.0f", t.rate[n]), fmt.Sprintf("%.3f", t.cost[n]), ""})
		}
	}
	f.wsReport(turns, size, conns)
	return nil
}

// wsRound is one of the rounds, cut into slices.
func (f *Field) wsRound(ctx context.Context, turns []*wsTurn) error {
	n, cpu := make([]int64, len(turns)), make([]time.Duration, len(turns))
	pieces := int(f.Time / wsSlice)
	for i := range pieces {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		for j := range turns {
			k := (i + j) % len(turns)
			m, c, err := turns[k].slice(wsSlice)
			if err != nil {
				return fmt.Errorf("%s: %w", turns[k].Name, err)
			}
			n[k] += m
			cpu[k] += c
		}
	}
	for k, t := range turns {
		t.cost = append(t.cost, float64(cpu[k].Nanoseconds())/1e3/float64(n[k]))
		t.rate = append(t.rate, float64(n[k])/f.Time.Seconds())
	}
	return nil
}

// slice has all connections talk for d.
func (t *wsTurn) slice(d time.Duration) (messages int64, cpu time.Duration, err error) {
	before, err := usage(t.p.pid())
	if err != nil {
		return 0, 0, err
	}
	var all sync.WaitGroup
	var total atomic.Int64
	var failed atomic.Pointer[error]
	end := time.Now().Add(d)
	for _, c := range t.conns {
		all.Go(func() {
			n := int64(0)
			for time.Now().Before(end) {
				if err := c.talk(); err != nil {
					failed.Store(&err)
					return
				}
				n++
			}
			total.Add(n)
		})
	}
	all.Wait()
	after, err := usage(t.p.pid())
	if e := failed.Load(); e != nil {
		err = *e
	}
	return total.Load(), after.minus(before).CPU, err
}

func (f *Field) wsReport(turns []*wsTurn, size, conns int) {
	rows := [][]string{{fmt.Sprintf("%d B, %d tunnels", size, conns), "CPU µs a message", "lowest–highest", "messages/s", "ours to it, by round"}}
	for _, t := range turns {
		var ratio []float64
		for i := range t.cost {
			ratio = append(ratio, turns[0].cost[i]/t.cost[i])
		}
		rows = append(rows, []string{t.Name, fmt.Sprintf("%.2f", middle(t.cost)), fmt.Sprintf("%.2f–%.2f", slices.Min(t.cost), slices.Max(t.cost)),
			fmt.Sprintf("%.0f", middle(t.rate)), fmt.Sprintf("%.3f (%.3f–%.3f)", middle(ratio), slices.Min(ratio), slices.Max(ratio))})
	}
	f.lines(rows)
}

func middle(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// idleTunnels opens many, has each say one word, and asks what the server holds for them.
func (f *Field) idleTunnels(ctx context.Context, echo *echo) error {
	const size = 128
	echo.size.Store(size)
	rows := [][]string{{fmt.Sprintf("%d idle tunnels", wsIdle), "resident before", "with them", "bytes a tunnel"}}
	for _, s := range f.wsServers(true) {
		p, err := f.wsStart(s, echo)
		if err != nil {
			return err
		}
		before, err := resident(p.pid())
		if err != nil {
			return err
		}
		conns, err := openTunnels(p.addr(), wsIdle, size)
		for _, c := range conns {
			if err == nil {
				err = c.talk()
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		time.Sleep(wsRest)
		after, err := resident(p.pid())
		if err != nil {
			return err
		}
		each := (after - before) / wsIdle
		rows = append(rows, []string{s.Name, fmt.Sprintf("%.1f MiB", float64(before)/(1<<20)), fmt.Sprintf("%.1f MiB", float64(after)/(1<<20)), strconv.FormatInt(each, 10)})
		f.table = append(f.table, []string{"idle", strconv.Itoa(size), strconv.Itoa(wsIdle), s.Name, "1", "", "", strconv.FormatInt(each, 10)})
		for _, c := range conns {
			c.Close()
		}
		p.stop()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	f.lines(rows)
	return nil
}

// wsConn is a client's tunnel.
type wsConn struct {
	net.Conn
	out, in, want []byte
}

func openTunnels(addr string, n, size int) (all []*wsConn, err error) {
	out, back := wsFrame(true, size), wsFrame(false, size)
	for range n {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return all, err
		}
		all = append(all, &wsConn{nc, out, nil, back})
		fmt.Fprintf(nc, "GET /chat HTTP/1.1\r\nHost: bench.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		head := bufio.NewReaderSize(nc, 4096)
		res, err := http.ReadResponse(head, nil)
		if err != nil {
			return all, err
		}
		if res.StatusCode != 101 || head.Buffered() > 0 {
			return all, fmt.Errorf("handshake: %s", res.Status)
		}
	}
	return all, nil
}

// talk sends the message and reads its echo.
func (c *wsConn) talk() error {
	if c.in == nil {
		c.in = make([]byte, len(c.want))
	}
	if _, err := c.Write(c.out); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, c.in); err != nil {
		return err
	}
	if !bytes.Equal(c.in, c.want) {
		return fmt.Errorf("another message came back")
	}
	return nil
}

// wsFrame is a binary message of size zeros, of a client masked by zeros.
func wsFrame(masked bool, size int) []byte {
	b := []byte{0x82, byte(size)}
	if size > 125 {
		b[1] = 126
		b = append(b, byte(size>>8), byte(size))
	}
	if masked {
		b[1] |= 0x80
		b = append(b, 0, 0, 0, 0)
	}
	return append(b, make([]byte, size)...)
}

// echo is an origin that answers each message, all of one size, by the same.
type echo struct {
	ln   net.Listener
	size atomic.Int64
}

func newEcho() (*echo, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &echo{ln: ln}
	go func() {
		for nc, err := ln.Accept(); err == nil; nc, err = ln.Accept() {
			go e.serve(nc)
		}
	}()
	return e, nil
}

func (e *echo) port() int { return e.ln.Addr().(*net.TCPAddr).Port }

func (e *echo) serve(nc net.Conn) {
	defer nc.Close()
	size := int(e.size.Load())
	head := bufio.NewReaderSize(nc, 4096)
	req, err := http.ReadRequest(head)
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	in, out := make([]byte, len(wsFrame(true, size))), wsFrame(false, size)
	for {
		if _, err := io.ReadFull(nc, in); err != nil {
			return
		}
		if _, err := nc.Write(out); err != nil {
			return
		}
	}
}
