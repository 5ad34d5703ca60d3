//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"multiserver/cache/redis/redistest"
)

// What is asked of a hub of two nodes on one Redis. Clients, origin and Redis share a CPU.
const (
	hubSize    = 128 // bytes of a message
	hubBudget  = 1.1 // the most that a delivery may cost of a bare write
	hubMember  = 8 << 10
	hubRate    = 1000 // messages a second between nodes
	hubMedian  = 500 * time.Microsecond
	hubLate    = 5 * time.Millisecond // 99 of 100 within
	hubSettles = 30 * time.Second
)

const (
	hubEach  = 50_000 // deliveries of a round
	hubWaits = 100    // messages whose way is timed
)

// hubCrowds are 1,000 and 10,000, or as many as there may be descriptors for: a member takes two,
// of a node and of this program.
func hubCrowds() [2]int { return [2]int{1000, min(10_000, (descriptors()-2000)/2)} }

func descriptors() int {
	var l syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	return int(min(l.Cur, 1<<20))
}

// hubNode is a hub: one of ours, or a peer's.
type hubNode struct {
	*Process
	name string
	url  string // where to publish
	http http.Client
}

// hubMeasure asks what a delivery costs beside a bare write, what members cost, how late messages
// are, here and on another node, and whether one who stalls delays others. Where a peer does the
// same it is asked, too.
func hubMeasure(ctx context.Context, f *Field) error {
	echo, err := newEcho()
	if err != nil {
		return err
	}
	defer echo.ln.Close()
	echo.size.Store(hubSize)
	redis, err := redistest.Start(f.Dir)
	if err != nil {
		return err
	}
	defer redis.Stop()
	f.table = [][]string{{"what", "server", "members", "round", "figure", "unit"}}
	a, err := f.hubNode("A", echo, redis)
	if err != nil {
		return err
	}
	b, err := f.hubNode("B", echo, redis)
	if err != nil {
		return err
	}
	if err := f.hubBetween(ctx, a, b); err != nil {
		return err
	}
	peer, err := f.nchan()
	if err != nil {
		return err
	}
	for _, n := range hubCrowds() {
		for _, node := range []*hubNode{a, peer} {
			if err := f.hubCrowd(ctx, node, n); err != nil {
				return fmt.Errorf("%s: %w", node.name, err)
			}
		}
	}
	return nil
}

func (f *Field) hubNode(name string, echo *echo, redis *redistest.Server) (*hubNode, error) {
	var ports [2]int
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	admin := net.JoinHostPort(loopback, strconv.Itoa(ports[1]))
	n := &hubNode{name: "multiserver", url: "http://" + admin + "/api/publish?channel=all"}
	argv := []string{f.Ours.Path, "--listen", net.JoinHostPort(loopback, strconv.Itoa(ports[0])), "--admin", admin,
		"--upstream", fmt.Sprintf("http://127.0.0.1:%d", echo.port()), "--hub", "/*", "--hub-channels", "all", "--redis", redis.URL()}
	var err error
	n.Process, err = f.start("hub-"+name, f.CPU, loopback, ports[0], argv, "GOMAXPROCS=1")
	return n, err
}

// nchan is nginx with its hub: a peer that is as near to ours as there is.
func (f *Field) nchan() (*hubNode, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	at := place{Dir: filepath.Join(f.Dir, "nchan"), Port: port}
	if err := os.MkdirAll(at.Dir, 0o755); err != nil {
		return nil, err
	}
	s := nginx("nchan", "nginx-nchan.conf")
	args, err := s.args(at)
	if err != nil {
		return nil, err
	}
	n := &hubNode{name: s.Name, url: fmt.Sprintf("http://%s:%d/publish", loopback, port)}
	n.Process, err = f.start(s.Name, f.CPU, loopback, port, append([]string{s.Path}, args...))
	return n, err
}

func (n *hubNode) publish(ctx context.Context, message []byte) error {
	req, err := http.NewRequestWithContext(ctx, "POST", n.url, bytes.NewReader(message))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	res, err := n.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if said, err := io.ReadAll(res.Body); err != nil || res.StatusCode > 202 { // 202: Redis was late, and members here have it
		return fmt.Errorf("publish: %s %s %v", res.Status, said, err)
	}
	return nil
}

func (f *Field) hubRow(what, server string, n, round int, figure float64, unit string) {
	f.table = append(f.table, []string{what, server, strconv.Itoa(n), strconv.Itoa(round), fmt.Sprintf("%.0f", figure), unit})
	f.lines([][]string{{what, server, strconv.Itoa(n) + " members", fmt.Sprintf("%.0f %s", figure, unit)}})
}
