//go:build linux && !race

package memory

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// The process may grow by Size and no more, whatever it is filled with. Each
// case is a process of its own: memory of rings is never given back.
func TestProcessGrowsByNoMoreThanSize(t *testing.T) {
	if os.Getenv("MEMORY_TEST_FILL") != "" {
		fill(t)
		return
	}
	f := func(size int64, record string) {
		t.Helper()
		child := exec.Command(os.Args[0], "-test.run=^TestProcessGrowsByNoMoreThanSize$", "-test.v")
		child.Env = append(os.Environ(), "GOGC=100", "GOMEMLIMIT=off", fmt.Sprintf("MEMORY_TEST_FILL=%d %s", size, record))
		out, err := child.CombinedOutput()
		if err != nil {
			t.Errorf("%d MiB of records of %s:\n%s", size>>20, record, out)
		}
		if _, line, ok := bytes.Cut(out, []byte("growth: ")); ok {
			line, _, _ = bytes.Cut(line, []byte("\n"))
			t.Logf("%s", line)
		}
	}
	f(Least, "0")
	f(Least, "300")
	f(Least, "61440")
	f(64<<20, "0")
	f(64<<20, "300")
	f(122<<20, "300")
	f(122<<20, "1000")
	if testing.Short() {
		return
	}
	f(122<<20, "mixed")
	f(256<<20, "300")
	f(256<<20, "800")
	f(256<<20, "61440")
}

// fill writes four laps and a bit, and looks on the way: just before the end of
// a lap the index is largest, and with it what the collector has left.
func fill(t *testing.T) {
	var size int64
	var what string
	fmt.Sscan(os.Getenv("MEMORY_TEST_FILL"), &size, &what)
	before := resident(t)
	m, err := New(Options{Size: size})
	if err != nil {
		t.Fatal(err)
	}
	rec, most, key := make([]byte, 61440), int64(0), make([]byte, 16)
	fixed, _ := strconv.Atoi(what)
	for i := uint64(0); m.shards[0].pos.Load() < m.plan.ring*17/4; i++ {
		n := fixed
		if what == "mixed" {
			n = []int{61440, 100, 100, 100, 2000, 300}[i%6]
		}
		binary.LittleEndian.PutUint64(key, i)
		m.Put(key, rec[:n], 0)
		if i%uint64(m.plan.data/int64(n+m.plan.least)/20) == 0 {
			most = max(most, resident(t)-before)
		}
	}
	fmt.Printf("growth: %.1f of %.1f MiB with rings of %d MiB, entries of %d bytes at least, %d records of %s bytes\n",
		float64(most)/(1<<20), float64(size)/(1<<20), m.plan.data>>20, m.plan.least, m.Stats().Entries, what)
	if most > size {
		t.Errorf("%d bytes too many", most-size)
	}
}

// resident is the memory of this process that is no file's, in bytes.
func resident(t *testing.T) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("RssAnon:"))
	var kb int64
	if n, _ := fmt.Sscan(string(rest), &kb); n != 1 {
		t.Skip("this kernel does not tell RssAnon")
	}
	return kb << 10
}
