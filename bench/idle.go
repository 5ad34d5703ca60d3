//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"multiserver/bench/steady"
)

const (
	idleClients = 10_000
	idleTunnel  = 4500 // two descriptors of the server for each, and two of this program
	idleRest    = 4 * time.Second
	idleGoal    = 3 << 10 // bytes of a plain one
	idleDialers = 16
)

// An idleKind is a sort of connection that can lie still.
type idleKind struct {
	name  string
	count int
	open  func(f *Field, addr string) (net.Conn, error) // has asked once, and been answered
	who   func(f *Field) []*Server
}

var idleKinds = []idleKind{
	{"plain", clients(idleClients), openPlain, func(f *Field) []*Server { return f.Servers }},
	{"TLS", clients(idleClients), openTLS, (*Field).tlsServers},
	{"tunnel", idleTunnel, nil, func(f *Field) []*Server { return f.wsServers(true) }},
}

// clients are as many as wanted, or as many as there are descriptors for: HAProxy reckons two and a
// half for each.
func clients(want int) int { return min(want, (descriptors()-1000)*2/5) }

// idle asks what a connection costs on which nothing comes: resident memory with many of them that
// have had one answer each, and are kept, less what there was after the first.
func idle(ctx context.Context, f *Field) error {
	if err := f.invite(ctx, "nginx,haproxy,caddy,traefik,fasthttp"); err != nil {
		return err
	}
	defer f.Bench.close()
	f.table = [][]string{{"kind", "connections", "server", "before_bytes", "with_bytes", "bytes_each"}}
	for _, k := range idleKinds {
		rows := [][]string{{k.name, "connections", "resident before", "with them", "bytes each"}}
		for _, s := range k.who(f) {
			row, err := f.idleAt(ctx, &k, s)
			if err != nil && (s.Ours || ctx.Err() != nil) {
				return fmt.Errorf("%s, %s: %w", k.name, s.Name, err)
			} else if err != nil {
				fmt.Fprintf(f, "%s, %s is left out: %s\n", k.name, s.Name, firstLine(err))
				continue
			}
			rows = append(rows, row)
		}
		f.lines(rows)
	}
	return nil
}

func (f *Field) idleAt(ctx context.Context, k *idleKind, s *Server) ([]string, error) {
	p, done, err := f.idleStart(k, s)
	if err != nil {
		return nil, err
	}
	defer done()
	var first []net.Conn
	err = retry(func() (err error) {
		first, err = openIdle(ctx, f, k, p.addr(), 1)
		return err
	})
	defer closeAll(first)
	if err != nil {
		return nil, err
	}
	pause(ctx, idleRest/4)
	before, err := resident(p.pid())
	if err != nil {
		return nil, err
	}
	all, err := openIdle(ctx, f, k, p.addr(), k.count)
	defer closeAll(all)
	if err != nil {
		return nil, err
	}
	pause(ctx, idleRest)
	with, err := resident(p.pid())
	if err != nil || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	each := (with - before) / int64(k.count)
	f.Log("%s %s: %d bytes each\n", k.name, s.Name, each)
	f.table = append(f.table, []string{k.name, strconv.Itoa(k.count), s.Name, fmt.Sprint(before), fmt.Sprint(with), fmt.Sprint(each)})
	if k.name == "plain" && s.Ours {
		defer f.promise(each <= idleGoal, "an idle client of %d holds %d bytes", k.count, each)
	}
	return []string{s.Name, strconv.Itoa(k.count), fmt.Sprintf("%.1f MiB", float64(before)/(1<<20)), fmt.Sprintf("%.1f MiB", float64(with)/(1<<20)), fmt.Sprint(each)}, nil
}

// idleStart starts a server for that kind of connections.
func (f *Field) idleStart(k *idleKind, s *Server) (*Process, func(), error) {
	switch k.name {
	case "TLS":
		cert, err := tlsCertificate()
		if err != nil {
			return nil, nil, err
		}
		t, err := f.tlsStart(s, f.Bench.origin.Port, cert)
		if err != nil {
			return nil, nil, err
		}
		return t.p, t.p.stop, nil
	case "tunnel":
		echo, err := newEcho()
		if err != nil {
			return nil, nil, err
		}
		echo.size.Store(idleWord)
		p, err := f.wsStart(s, echo)
		if err != nil {
			return nil, nil, err
		}
		return p, func() { p.stop(); _ = echo.ln.Close() }, nil
	}
	r, err := f.startServer(Entry{s, Scenario{Name: "idle"}})
	if err != nil {
		return nil, nil, err
	}
	return r.Process, r.Process.stop, nil
}

// openIdle opens n at once, by a few.
func openIdle(ctx context.Context, f *Field, k *idleKind, addr string, n int) (all []net.Conn, err error) {
	if k.open == nil {
		tunnels, err := openTunnels(addr, n, idleWord)
		for _, c := range tunnels {
			if err == nil {
				err = c.talk()
			}
			all = append(all, c)
		}
		return all, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range idleDialers {
		wg.Go(func() {
			for j := i; j < n && ctx.Err() == nil; j += idleDialers {
				c, wrong := k.open(f, addr)
				mu.Lock()
				if wrong != nil {
					err = wrong
				} else {
					all = append(all, c)
				}
				failed := err != nil
				mu.Unlock()
				if failed {
					return
				}
			}
		})
	}
	wg.Wait()
	return all, err
}

const idleWord = 128 // bytes of the one message of a tunnel

func openPlain(_ *Field, addr string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return c, idleOnce(c)
}

func openTLS(_ *Field, addr string) (net.Conn, error) {
	c, err := tls.Dial("tcp", addr, tlsConfig())
	if err != nil {
		return nil, err
	}
	return c, idleOnce(c)
}

// idleOnce asks, and reads the whole answer.
func idleOnce(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET /1k HTTP/1.1\r\nHost: bench\r\n\r\n"); err != nil {
		return err
	}
	return steady.Skip(c)
}

func closeAll(all []net.Conn) {
	for _, c := range all {
		if c != nil {
			_ = c.Close()
		}
	}
}
