//go:build linux

package main

import (
	"bytes"
	"context"
	bigendian "encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
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

const hubEach = 50_000 // deliveries of a round

// hubCrowds are 1,000 and 10,000, or as many as there may be descriptors for: a member takes two,
// of a node and of this program.
func hubCrowds() [2]int { return [2]int{1000, min(10_000, (descriptors()-2000)/2)} }

func descriptors() int {
	var l syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
	return int(min(l.Cur, 1<<20))
}

// hubNode is one of ours with a hub.
type hubNode struct {
	*Process
	admin string
	http  http.Client
}

// hubMeasure asks what a delivery costs beside a bare write, what members cost, how late messages
// are on another node, and whether one who stalls delays others.
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
	f.table = [][]string{{"what", "members", "round", "figure", "unit"}}
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
	for _, n := range hubCrowds() {
		if err := f.hubCrowd(ctx, a, n); err != nil {
			return err
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
	n := &hubNode{admin: net.JoinHostPort(loopback, strconv.Itoa(ports[1]))}
	argv := []string{f.Ours.Path, "--listen", net.JoinHostPort(loopback, strconv.Itoa(ports[0])), "--admin", n.admin,
		"--upstream", fmt.Sprintf("http://127.0.0.1:%d", echo.port()), "--hub", "/*", "--hub-channels", "all", "--redis", redis.URL()}
	var err error
	n.Process, err = f.start("hub-"+name, f.CPU, loopback, ports[0], argv, "GOMAXPROCS=1")
	return n, err
}

func (n *hubNode) publish(ctx context.Context, message []byte) error {
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+n.admin+"/api/publish?channel=all", bytes.NewReader(message))
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

// hubCrowd is for a message to n members of one node.
func (f *Field) hubCrowd(ctx context.Context, node *hubNode, n int) error {
	before, err := resident(node.pid())
	if err != nil {
		return err
	}
	conns, err := openTunnels(node.addr(), n, hubSize)
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	if err != nil {
		return err
	}
	time.Sleep(wsRest)
	after, err := resident(node.pid())
	if err != nil {
		return err
	}
	each := (after - before) / int64(n)
	f.hubRow("idle member", n, 0, float64(each), "bytes")
	if n > 1000 {
		f.promise(each <= hubMember, "an idle member of %d costs %d bytes resident, %d at most", n, each, hubMember)
	}
	frame := wsFrame(false, hubSize)
	bare, err := newBare(min(n, descriptors()-2*n-500), hubSize, f.CPU)
	if err != nil {
		return err
	}
	defer bare.close()
	var got atomic.Int64
	for _, c := range conns {
		go drainInto(c, &got)
	}
	message, turns := make([]byte, hubSize), hubEach/n
	var ratios []float64
	for round := range f.Rounds {
		from, err := usage(node.pid())
		if err != nil {
			return err
		}
		got.Store(0)
		for i := range turns {
			if err := node.publish(ctx, message); err != nil {
				return err
			}
			if err := settles(ctx, &got, int64((i+1)*n*len(frame))); err != nil {
				return err
			}
		}
		to, err := usage(node.pid())
		if err != nil {
			return err
		}
		ours := float64(to.minus(from).CPU.Nanoseconds()) / float64(turns*n)
		floor, err := bare.write(turns)
		if err != nil {
			return err
		}
		ratios = append(ratios, ours/floor)
		f.hubRow("delivery", n, round+1, ours, "ns of CPU")
		f.hubRow("bare write", n, round+1, floor, "ns of CPU")
	}
	f.promise(middle(ratios) <= hubBudget, "a delivery to each of %d costs %.3f of a bare write (%.3f–%.3f), %.1f at most", n, middle(ratios), slices.Min(ratios), slices.Max(ratios), hubBudget)
	if n == 1000 {
		return f.hubStalled(ctx, node, &got, n)
	}
	return nil
}

func (f *Field) hubRow(what string, n, round int, figure float64, unit string) {
	f.table = append(f.table, []string{what, strconv.Itoa(n), strconv.Itoa(round), fmt.Sprintf("%.0f", figure), unit})
	f.lines([][]string{{what, strconv.Itoa(n) + " members", fmt.Sprintf("%.0f %s", figure, unit)}})
}

func drainInto(c net.Conn, got *atomic.Int64) {
	b := make([]byte, 512)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		got.Add(int64(n))
	}
}

func settles(ctx context.Context, got *atomic.Int64, want int64) error {
	for end := time.Now().Add(hubSettles); got.Load() < want; time.Sleep(200 * time.Microsecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("%d of %d bytes came", got.Load(), want)
		}
	}
	return nil
}

// hubStalled has one more member that reads nothing: the others' worst waits, without it and with it.
func (f *Field) hubStalled(ctx context.Context, node *hubNode, got *atomic.Int64, n int) error {
	const turns = 200
	message := make([]byte, 16<<10) // so that the one is over its budget soon
	frame := int64(len(wsFrame(false, len(message))))
	worst := func() (time.Duration, error) {
		var waits []time.Duration
		for range turns {
			got.Store(0)
			began := time.Now()
			if err := node.publish(ctx, message); err != nil {
				return 0, err
			}
			if err := settles(ctx, got, int64(n)*frame); err != nil {
				return 0, err
			}
			waits = append(waits, time.Since(began))
		}
		slices.Sort(waits)
		return waits[turns*99/100], nil
	}
	without, err := worst()
	if err != nil {
		return err
	}
	stalled, err := openTunnels(node.addr(), 1, hubSize)
	if err != nil {
		return err
	}
	defer stalled[0].Close()
	with, err := worst()
	if err != nil {
		return err
	}
	f.hubRow("all have it, p99", n, 0, float64(without.Microseconds()), "µs")
	f.hubRow("all have it, p99, with one that stalls", n+1, 0, float64(with.Microseconds()), "µs")
	f.promise(with <= without*3/2, "with one of %d stalled the others have a message after %v, without after %v", n+1, with, without)
	return nil
}

// hubBetween is how long messages take from a publisher at one node to a member at the other.
func (f *Field) hubBetween(ctx context.Context, a, b *hubNode) error {
	conns, err := openTunnels(b.addr(), 1, hubSize)
	if err != nil {
		return err
	}
	defer conns[0].Close()
	time.Sleep(wsRest) // until Redis knows that it listens
	for round := range f.Rounds {
		all := int(f.Time.Seconds() * hubRate)
		_ = conns[0].SetReadDeadline(time.Now().Add(f.Time + hubSettles/3))
		waits := make(chan []time.Duration, 1)
		go func() { waits <- hear(conns[0], all) }()
		began := time.Now()
		for i := range all {
			time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / hubRate)))
			message := bigendian.BigEndian.AppendUint64(make([]byte, 0, hubSize), uint64(time.Now().UnixNano()))
			if err := a.publish(ctx, message[:hubSize]); err != nil {
				return err
			}
		}
		select {
		case got := <-waits:
			if lost := all - len(got); lost > 0 {
				f.promise(lost < all/100, "%d of %d messages were lost, as Redis was late", lost, all)
			}
			if len(got) == 0 {
				return fmt.Errorf("no message came")
			}
			slices.Sort(got)
			p50, p99 := got[len(got)/2], got[len(got)*99/100]
			f.hubRow("on the other node, p50", 1, round+1, float64(p50.Microseconds()), "µs")
			f.hubRow("on the other node, p99", 1, round+1, float64(p99.Microseconds()), "µs")
			f.promise(p50 <= hubMedian && p99 <= hubLate, "at %d a second half of the messages are on the other node within %v, 99 of 100 within %v", hubRate, p50, p99)
		case <-time.After(hubSettles):
			return fmt.Errorf("not all messages came")
		}
	}
	return nil
}

// hear reads n messages that begin with when they were sent.
func hear(c net.Conn, n int) (waits []time.Duration) {
	frame := make([]byte, len(wsFrame(false, hubSize)))
	for range n {
		if _, err := io.ReadFull(c, frame); err != nil {
			break
		}
		sent := bigendian.BigEndian.Uint64(frame[len(frame)-hubSize:])
		waits = append(waits, time.Duration(uint64(time.Now().UnixNano())-sent))
	}
	return waits
}
