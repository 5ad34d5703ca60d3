//go:build linux

package main

import (
	"container/list"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"multiserver/bench/steady"
)

// The trace: keys by Zipf's law, answers of one size, and memory for a tenth of them.
const (
	zipfMemory = 128 // MiB
	zipfSize   = "8k"
	zipfKeys   = 150_000
	zipfWarm   = 200_000 // requests before those that count
	zipfCount  = 200_000
	zipfConns  = 16
)

var zipfExponents = []float64{0.9} // one, for it takes minutes on a busy machine

// zipf asks caches of the same memory for the same, and has the origin count what they did not
// have. What is set is not what they take: ours counts all, the others the answers alone, so what
// is resident stands beside it. The LRU is simulated: one that needs no memory but for answers.
func zipf(ctx context.Context, f *Field) error {
	floor, err := buildFloor(ctx, f.Dir)
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	if f.Bench.origin, err = f.start("origin", f.LoadCPUs, loopback, port, []string{floor, "origin", fmt.Sprint(port)}); err != nil {
		return err
	}
	answer, err := ask(port, Scenario{Method: "GET", Path: zipfPath(0)})
	if err != nil {
		return err
	}
	room := zipfMemory << 20 / int(answer.Wire)
	fmt.Fprintf(f, "%d keys, answers of %d bytes, %d MiB for each cache: room for %d; %d requests over %d connections, of which the last %d count\n\n",
		zipfKeys, answer.Wire, zipfMemory, room, zipfWarm+zipfCount, zipfConns, zipfCount)
	f.table = [][]string{{"exponent", "round", "cache", "requests", "asked", "hit_percent", "memory_bytes"}}
	rows := [][]string{{"exponent", "cache", "hits", "MiB resident"}}
	for _, s := range zipfExponents {
		for round := range f.Rounds {
			trace := draw(zipfKeys, s, zipfWarm+zipfCount, uint64(round))
			for _, srv := range []*Server{f.Ours, varnish(), haproxy("haproxy", "haproxy.cfg")} {
				asked, memory, err := f.follow(ctx, srv, trace)
				if err != nil {
					return fmt.Errorf("%s: %w", srv.Name, err)
				}
				rows = append(rows, f.hitRow(s, round, srv.Name, asked, memory))
			}
			rows = append(rows, f.hitRow(s, round, "LRU, simulated", newLRU(room).misses(trace), 0))
		}
	}
	f.lines(rows)
	return nil
}

func (f *Field) hitRow(s float64, round int, name string, asked int, memory int64) []string {
	hits := fixed(100-100*float64(asked)/zipfCount, 2)
	resident := "–"
	if memory > 0 {
		resident = fixed(float64(memory)/(1<<20), 1)
	}
	f.table = append(f.table, []string{fixed(s, 1), fmt.Sprint(round + 1), name, fmt.Sprint(zipfCount), fmt.Sprint(asked), hits, fmt.Sprint(memory)})
	return []string{fixed(s, 1), name, hits + " %", resident}
}

func zipfPath(key uint32) string { return fmt.Sprintf("/keep/%d/%s", key, zipfSize) }

// follow asks a server for the whole trace, and tells how often the origin was asked in the part
// that counts.
func (f *Field) follow(ctx context.Context, srv *Server, trace []uint32) (asked int, memory int64, err error) {
	port, err := freePort()
	if err != nil {
		return 0, 0, err
	}
	f.zipfs++
	at := place{Dir: filepath.Join(f.Dir, fmt.Sprintf("zipf-%d", f.zipfs)), Port: port, Origin: f.Bench.origin.Port, Cache: zipfMemory}
	if err := os.MkdirAll(at.Dir, 0o755); err != nil {
		return 0, 0, err
	}
	p, err := srv.start(f.CPU, at)
	if err != nil {
		return 0, 0, err
	}
	defer p.stop()
	if err := walk(ctx, p, trace[:zipfWarm]); err != nil {
		return 0, 0, err
	}
	before, err := f.asked()
	if err != nil {
		return 0, 0, err
	}
	if err := walk(ctx, p, trace[zipfWarm:]); err != nil {
		return 0, 0, err
	}
	after, err := f.asked()
	if err != nil {
		return 0, 0, err
	}
	memory, err = resident(p.pid())
	return after - before, memory, err
}

// walk asks for one key after the other, over some connections.
func walk(ctx context.Context, p *Process, trace []uint32) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, zipfConns)
	for range zipfConns {
		wg.Go(func() {
			c := steady.Conn{Addr: p.addr(), Limit: 10 * time.Second}
			defer c.Close()
			for i := next.Add(1) - 1; i < int64(len(trace)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				err := c.Ask(get(zipfPath(trace[i])))
				if err == nil && c.Res.StatusCode() != 200 {
					err = fmt.Errorf("%s: status %d", zipfPath(trace[i]), c.Res.StatusCode())
				}
				if err != nil {
					failed <- err
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return ctx.Err()
	}
}

// draw draws n of keys by Zipf's law with exponent s, the same for a seed each time.
func draw(keys int, s float64, n int, seed uint64) []uint32 {
	sum, upTo := 0., make([]float64, keys)
	for i := range upTo {
		sum += math.Pow(float64(i+1), -s)
		upTo[i] = sum
	}
	r, drawn := rand.New(rand.NewPCG(1, seed)), make([]uint32, n)
	for i := range drawn {
		at, _ := slices.BinarySearch(upTo, r.Float64()*sum)
		drawn[i] = uint32(at)
	}
	return drawn
}

// lru is an exact one of room entries.
type lru struct {
	at   map[uint32]*list.Element
	ages list.List
	room int
}

func newLRU(room int) *lru { return &lru{at: map[uint32]*list.Element{}, room: room} }

// misses follows the trace, and counts in the part that counts.
func (l *lru) misses(trace []uint32) (n int) {
	for i, key := range trace {
		if !l.found(key) && i >= zipfWarm {
			n++
		}
	}
	return n
}

func (l *lru) found(key uint32) bool {
	if e := l.at[key]; e != nil {
		l.ages.MoveToFront(e)
		return true
	}
	l.at[key] = l.ages.PushFront(key)
	if l.ages.Len() > l.room {
		delete(l.at, l.ages.Remove(l.ages.Back()).(uint32))
	}
	return false
}
