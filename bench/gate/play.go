//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
)

// Played is what a run has cost: a process that plays one scene so many times,
// as it says itself.
type Played struct {
	Times      int
	Allocs     uint64
	Bytes      uint64
	Goroutines uint64
	Calls      int64 // client's and origin's, all those before the first time included
}

// warm is how often a scene is played before anything counts: buffers are as
// large as they get, connections are kept.
const warm = 200

// play plays a scene in this process, and prints what that has cost.
func play(name string, times int) error {
	sc, err := findScene(name)
	if err != nil {
		return err
	}
	var s stage
	once, err := sc.begin(&s)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := repeat(once, warm); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var before, after runtime.MemStats
	begun := goroutines()
	runtime.ReadMemStats(&before)
	if err := repeat(once, times); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	runtime.ReadMemStats(&after)
	return json.NewEncoder(os.Stdout).Encode(Played{
		Times:      times,
		Allocs:     after.Mallocs - before.Mallocs,
		Bytes:      after.TotalAlloc - before.TotalAlloc,
		Goroutines: goroutines() - begun,
		Calls:      s.calls.Load(),
	})
}

func repeat(once func() error, times int) error {
	for range times {
		if err := once(); err != nil {
			return err
		}
	}
	return nil
}

// goroutines is how many were begun so far.
func goroutines() uint64 {
	sample := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
