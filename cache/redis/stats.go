package redis

import "sync/atomic"

// Stats are counts since Open. Each walks them under the names that a metric's
// label has.
type Stats struct {
	Hits, Misses         atomic.Uint64 // Find: found; not there, of another version or damaged
	Timeouts             atomic.Uint64 // no answer within ReadTimeout
	Failures             atomic.Uint64 // an error for an answer, or a broken link
	Away                 atomic.Uint64 // not asked: the breaker is open
	Busy                 atomic.Uint64 // not asked: too many wait already
	Corrupt, Foreign     atomic.Uint64 // values that were not ours, or damaged; of another version
	Puts, PutBytes       atomic.Uint64 // written; bytes after squeezing
	PutFull, PutAway     atomic.Uint64 // dropped: the queue was full; Redis is away
	PutLarge, PutFailed  atomic.Uint64 // dropped: over 64 MiB; refused by Redis, or lost with the link
	PutStale             atomic.Uint64 // dropped: another node changed the key while it waited
	Drops                atomic.Uint64 // done
	Owed, Paid, Resets   atomic.Uint64 // drops noted for later; of these done; too many of them, so all was dropped
	Leases, LeasesTaken  atomic.Uint64 // won; somebody else has it
	Releases             atomic.Uint64 // sent
	ReleasesLost         atomic.Uint64 // not sent, the lease ends by itself
	Pushes, Flushes      atomic.Uint64 // keys that others changed; everything may have changed
	Marks, MarksSeen     atomic.Uint64 // made here; heard of
	Dials, LinkLost      atomic.Uint64 // connections made; and lost
	BreakerOpen, Linkups atomic.Uint64 // times that Redis was given up; and taken up (again)
}

// Each calls f with every count and its name.
func (s *Stats) Each(f func(name string, count uint64)) {
	for _, c := range []struct {
		name  string
		count *atomic.Uint64
	}{
		{"hits", &s.Hits}, {"misses", &s.Misses}, {"timeouts", &s.Timeouts},
		{"failures", &s.Failures}, {"away", &s.Away}, {"busy", &s.Busy},
		{"corrupt", &s.Corrupt}, {"foreign", &s.Foreign},
		{"puts", &s.Puts}, {"put_bytes", &s.PutBytes},
		{"put_full", &s.PutFull}, {"put_away", &s.PutAway},
		{"put_large", &s.PutLarge}, {"put_failed", &s.PutFailed},
		{"put_stale", &s.PutStale},
		{"drops", &s.Drops}, {"owed", &s.Owed}, {"paid", &s.Paid}, {"resets", &s.Resets},
		{"leases", &s.Leases}, {"leases_taken", &s.LeasesTaken},
		{"releases", &s.Releases}, {"releases_lost", &s.ReleasesLost},
		{"pushes", &s.Pushes}, {"flushes", &s.Flushes},
		{"marks", &s.Marks}, {"marks_seen", &s.MarksSeen},
		{"dials", &s.Dials}, {"link_lost", &s.LinkLost},
		{"breaker_open", &s.BreakerOpen}, {"linkups", &s.Linkups},
	} {
		f(c.name, c.count.Load())
	}
}
