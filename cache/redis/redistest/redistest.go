package redistest

import (
	"os"
	"os/exec"
	"testing"
)

// Single starts one server. args are as on its command line: "--maxmemory", "1mb".
func Single(t testing.TB, args ...string) *Server {
	t.Helper()
	need(t)
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
	need(t)
	s, err := start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func need(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("NOT TESTED: redis-server is missing; scripts/test installs it")
	}
	t.Skip("NOT TESTED: redis-server is missing; scripts/test installs it")
}
