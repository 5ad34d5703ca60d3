package balance

import "sync/atomic"

// Host is one candidate as the algorithms see it.
type Host struct {
	ID     uint64 // the same for the same target whatever else changes, and on every node; see ID
	Weight uint32 // its share of the work; 0 counts as 1
	Load   *atomic.Int64
	Wait   *Latency
}

func (h *Host) weight() uint64 { return uint64(max(h.Weight, 1)) }

// Set is what a Picker chooses from. Load, Wait and Total are written while it
// does; the rest never changes.
type Set struct {
	Hosts []Host        // never empty, at most MaxHosts
	Total *atomic.Int64 // the sum of all Loads; nil: Hash bounds nobody
	Now   func() int64  // milliseconds of a clock that never goes back; one that ticks ten times a second will do
}

// MaxHosts is how many hosts a Set may have: tables of hosts have 16 bits for each.
const MaxHosts = 1<<16 - 1

// Build makes a Picker. It is called when membership, weight or health changes,
// and may keep s but not change it.
type Build func(s Set) Picker

// Picker returns the index of the host to take, for many goroutines at once.
// What key means, the Row says. If that host cannot be had, Next(key) is the
// key to ask with for another.
type Picker interface {
	Pick(key uint64) int
}

// Key is what an algorithm makes of Pick's key. 0 is no key with all of them.
type Key uint8

// The kinds of key.
const (
	NoKey   Key = iota // nothing
	ValueOf            // HashKey of what is to meet the same host again
	HostID             // the ID of the host to meet again
)

// Row is one algorithm.
type Row struct {
	Name  string
	Build Build
	Key   Key
}

// Table holds all algorithms; the first is the default.
var Table = []Row{
	{"round-robin", RoundRobin, NoKey},
	{"least-connections", LeastConnections, NoKey},
	{"p2c", P2C, NoKey},
	{"least-latency", LeastLatency, NoKey},
	{"random", Random, NoKey},
	{"hash", Hash, ValueOf},
	{"sticky", Sticky, HostID},
}

// Find returns the algorithm of that name, or nil.
func Find(name string) *Row {
	for i := range Table {
		if Table[i].Name == name {
			return &Table[i]
		}
	}
	return nil
}
