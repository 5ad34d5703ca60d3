package redistest

import (
	"testing"

	"multiserver/sync/daemon"
)

// Single starts one server. args are as on its command line: "--maxmemory", "1mb".
func Single(t testing.TB, args ...string) *Server {
	t.Helper()
	daemon.Need(t, program)
	s, err := Start(t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

// Sentinel starts a master, its replica and three sentinels.
func Sentinel(t testing.TB) *Set { return started(t, StartSentinel) }

// Cluster starts three masters, and a replica of each.
func Cluster(t testing.TB) *Set { return started(t, StartCluster) }

func started(t testing.TB, start func(dir string) (*Set, error)) *Set {
	t.Helper()
	daemon.Need(t, program)
	s, err := start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}
