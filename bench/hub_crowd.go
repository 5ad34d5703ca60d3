//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

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
	f.hubRow("idle member", node.name, n, 0, float64(each), "bytes")
	if n > 1000 && node.ours() {
		f.promise(each <= hubMember, "an idle member of %d costs %d bytes resident, %d at most", n, each, hubMember)
	}
	var got atomic.Int64
	for _, c := range conns {
		go drainInto(c, &got)
	}
	if err := f.hubDeliveries(ctx, node, &got, n); err != nil {
		return err
	}
	p50, p99, err := node.waits(ctx, &got, int64(n*len(wsFrame(false, hubSize))), hubWaits, make([]byte, hubSize))
	if err != nil {
		return err
	}
	f.hubRow("all have it, p50", node.name, n, 0, float64(p50.Microseconds()), "µs")
	f.hubRow("all have it, p99", node.name, n, 0, float64(p99.Microseconds()), "µs")
	if n == 1000 && node.ours() {
		return f.hubStalled(ctx, node, &got, n)
	}
	return nil
}

// hubDeliveries is what one costs, beside a bare write, in turns.
func (f *Field) hubDeliveries(ctx context.Context, node *hubNode, got *atomic.Int64, n int) error {
	bare, err := newBare(min(n, descriptors()-2*n-500), hubSize, f.CPU)
	if err != nil {
		return err
	}
	defer bare.close()
	turns := hubEach / n
	var ratios []float64
	for round := range f.Rounds {
		ours, err := node.cost(ctx, got, n, turns)
		if err != nil {
			return err
		}
		floor, err := bare.write(turns)
		if err != nil {
			return err
		}
		ratios = append(ratios, ours/floor)
		f.hubRow("delivery", node.name, n, round+1, ours, "ns of CPU")
		f.hubRow("bare write", "floor", n, round+1, floor, "ns of CPU")
	}
	if node.ours() {
		f.promise(middle(ratios) <= hubBudget, "a delivery to each of %d costs %.3f of a bare write (%.3f–%.3f), %.1f at most", n, middle(ratios), slices.Min(ratios), slices.Max(ratios), hubBudget)
	}
	return nil
}

// cost is the CPU of one delivery in ns, over turns to n members each.
func (n *hubNode) cost(ctx context.Context, got *atomic.Int64, members, turns int) (float64, error) {
	message := make([]byte, hubSize)
	frame := int64(len(wsFrame(false, hubSize)))
	from, err := usage(n.pid())
	if err != nil {
		return 0, err
	}
	got.Store(0)
	for i := range turns {
		if err := n.publish(ctx, message); err != nil {
			return 0, err
		}
		if err := settles(ctx, got, int64(i+1)*int64(members)*frame); err != nil {
			return 0, err
		}
	}
	to, err := usage(n.pid())
	if err != nil {
		return 0, err
	}
	return float64(to.minus(from).CPU.Nanoseconds()) / float64(turns*members), nil
}

// waits is how long it takes from the publisher's request until all have a message, of which that
// is want bytes.
func (n *hubNode) waits(ctx context.Context, got *atomic.Int64, want int64, turns int, message []byte) (p50, p99 time.Duration, err error) {
	var all []time.Duration
	for range turns {
		got.Store(0)
		began := time.Now()
		if err := n.publish(ctx, message); err != nil {
			return 0, 0, err
		}
		if err := settles(ctx, got, want); err != nil {
			return 0, 0, err
		}
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[turns/2], all[turns*99/100], nil
}

func (n *hubNode) ours() bool { return n.name == "multiserver" }

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
		_, p99, err := node.waits(ctx, got, int64(n)*frame, turns, message)
		return p99, err
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
	f.hubRow("all have 16 KiB, p99", node.name, n, 0, float64(without.Microseconds()), "µs")
	f.hubRow("all have 16 KiB, p99, with one that stalls", node.name, n+1, 0, float64(with.Microseconds()), "µs")
	f.promise(with <= without*3/2, "with one of %d stalled the others have a message after %v, without after %v", n+1, with, without)
	return nil
}
