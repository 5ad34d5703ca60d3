//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a session that lies in the server may cost of a request's CPU time, and what one may cost
// that a client does not have: less than can be told apart here.
const (
	sessionMost = 1.5 // µs
	noneMost    = 0.4
	sessionConn = 64
)

// sessions has three copies of ours pass on the same requests in slices: one without sessions, one
// with them whose clients have none, and one whose clients have one each request is told of. All
// send a cookie of the same length.
func sessions(ctx context.Context, f *Field) error {
	origin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer origin.Close()
	go serveSessions(origin)
	upstream := "http://" + origin.Addr().String()

	var turns []*wsTurn
	defer func() {
		for _, t := range turns {
			for _, c := range t.conns {
				c.Close()
			}
			t.p.stop()
		}
	}()
	for _, c := range []struct{ name, store, cookie string }{{"off", "off", "no_such_s"}, {"none", "memory", "no_such_s"}, {"read", "memory", "sync_sess"}} {
		t, err := f.sessionTurn(c.name, c.cookie, "--upstream", upstream, "--session", c.store)
		if t != nil {
			turns = append(turns, t)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		if _, _, err := t.slice(5 * wsSlice); err != nil { // warm
			return err
		}
	}
	for range f.Rounds {
		if err := f.wsRound(ctx, turns); err != nil {
			return err
		}
	}
	f.sessionReport(turns)
	return nil
}

// sessionTurn starts a server, and connects clients.
func (f *Field) sessionTurn(name, cookie string, flags ...string) (*wsTurn, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	argv := append([]string{f.Ours.Path, "--listen", fmt.Sprintf("%s:%d", loopback, port), "--access-log", "off"}, flags...)
	t := &wsTurn{Server: &Server{Name: name}}
	if t.p, err = f.start("sessions-"+name, f.CPU, loopback, port, argv, "GOMAXPROCS=1"); err != nil {
		return nil, err
	}
	token := strings.Repeat("x", 51) // as long as one
	if cookie == "sync_sess" {
		if token, err = beginSession(t.p.addr()); err != nil {
			return t, err
		}
	}
	request := fmt.Appendf(nil, "GET /1k HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench\r\nAccept: */*\r\nCookie: theme=dark; %s=%s\r\n\r\n", cookie, token)
	for range sessionConn {
		nc, err := net.Dial("tcp", t.p.addr())
		if err != nil {
			return t, err
		}
		t.conns = append(t.conns, &wsConn{nc, request, nil, sessionAnswer})
	}
	return t, nil
}

// beginSession asks until the server has its keys, and one begins.
func beginSession(addr string) (token string, err error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		res, err := http.Get("http://" + addr + "/begin")
		if err != nil {
			return "", err
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		for _, c := range res.Cookies() {
			return c.Value, err
		}
	}
	return "", fmt.Errorf("no session begins at %s", addr)
}

var sessionAnswer = []byte("HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 18:00:00 GMT\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1<<10))

// serveSessions is an origin that gives whoever asks for /begin something to keep.
func serveSessions(ln net.Listener) {
	begin := bytes.Replace(sessionAnswer, []byte("\r\n"), []byte("\r\nX-Session-Set: {\"user\":42,\"name\":\"Ann\",\"cart\":[1,2,3]}\r\n"), 1)
	for {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer nc.Close()
			for in := bufio.NewReader(nc); ; {
				answer, err := sessionAnswer, error(nil)
				for line := []byte(nil); err == nil && !bytes.Equal(line, []byte("\r\n")); {
					if line, err = in.ReadSlice('\n'); bytes.HasPrefix(line, []byte("GET /begin ")) {
						answer = begin
					}
				}
				if err == nil {
					_, err = nc.Write(answer)
				}
				if err != nil {
					return
				}
			}
		}()
	}
}

// sessionReport compares round by round.
func (f *Field) sessionReport(turns []*wsTurn) {
	f.table = [][]string{{"server", "round", "cpu_us", "more_us"}}
	rows := [][]string{{"sessions", "CPU µs a request", "lowest–highest", "more than without, by round"}}
	more := map[string]float64{}
	for _, t := range turns {
		var all []float64
		for i, cost := range t.cost {
			all = append(all, cost-turns[0].cost[i])
			f.table = append(f.table, []string{t.Name, strconv.Itoa(i + 1), fixed(cost, 3), fixed(all[i], 3)})
		}
		more[t.Name] = middle(all)
		rows = append(rows, []string{t.Name, fixed(middle(t.cost), 2), fixed(slices.Min(t.cost), 2) + "–" + fixed(slices.Max(t.cost), 2),
			fmt.Sprintf("%+.2f (%+.2f–%+.2f)", middle(all), slices.Min(all), slices.Max(all))})
	}
	f.lines(rows)
	f.promise(more["read"] <= sessionMost, "a session that lies in the process costs a request %+.2f µs, at most %.1f", more["read"], sessionMost)
	f.promise(more["none"] <= noneMost, "a client without one costs %+.2f µs, at most %.1f: what cannot be told apart", more["none"], noneMost)
}
