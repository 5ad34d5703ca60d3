//go:build linux

package memory

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A process whose files may not grow sees what a full disk does.
func TestAFullDiskEndsASave(t *testing.T) {
	if file := os.Getenv("MEMORY_TEST_FULL"); file != "" {
		saveWhereNothingFits(t, file)
		return
	}
	file := filepath.Join(t.TempDir(), "cache")
	child := exec.Command(os.Args[0], "-test.run=^TestAFullDiskEndsASave$")
	child.Env = append(os.Environ(), "MEMORY_TEST_FULL="+file)
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 0 {
		t.Errorf("%s is left behind", left[0].Name())
	}
}

func saveWhereNothingFits(t *testing.T, file string) {
	signal.Ignore(syscall.SIGXFSZ)
	m := least(t)
	m.stall = 300 * time.Millisecond
	rec, r := make([]byte, 4096), rand.NewPCG(1, 2)
	for i := range uint64(4096) {
		for j := 0; j < len(rec); j += 8 {
			binary.LittleEndian.PutUint64(rec[j:], r.Uint64())
		}
		m.PutChunk(i, 0, rec)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	err := m.Save(file)
	if err == nil || !strings.Contains(err.Error(), "full") && !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
	if _, ok := m.Chunk(nil, 4095, 0); !ok {
		t.Error("the tier is of no use any more")
	}
}
