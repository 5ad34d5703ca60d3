package balance

import "sync/atomic"

// Host is one candidate as the algorithms see it.
type Host struct {
	ID     uint64 // the same for the same target whatever else changes
	Weight uint32 // at least 1
	Load   *atomic.Int64
	Wait   *atomic.Int64
}

// Build makes a Picker for hosts, which is never empty and which it may keep
// but not change.
type Build func(hosts []Host) Picker

// Picker returns the index of the host to take. key is whatever should keep
// meeting the same host; algorithms without affinity ignore it.
type Picker interface {
	Pick(key uint64) int
}

// Row is one algorithm.
type Row struct {
	Name  string
	Build Build
}

// Table holds all algorithms; the first is the default.
var Table = []Row{
	{"round-robin", RoundRobin},
}

// Find returns the algorithm of that name, or nil.
func Find(name string) Build {
	for _, r := range Table {
		if r.Name == name {
			return r.Build
		}
	}
	return nil
}
