package memory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/cespare/xxhash/v2"
)

// A saved tier is a directory: the rings as fastcache writes them, and a
// manifest of their files and sums, which is written last. fastcache believes
// what it reads, up to a panic at a later Get; so nothing is given to it that is
// not byte for byte what was saved.
const (
	manifestName = "multiserver-cache" // and what tells a directory of ours
	ringName     = "rings"
	format       = "multiserver cache 1"
)

// manifest is what is written to manifestName, behind a line of its own sum.
type manifest struct {
	Format string
	Data   int64 // bytes of rings
	Files  []saved
	At     []uint64 // of each ring, where the next entry goes
}

type saved struct {
	Name string
	Size int64
	Sum  uint64 `json:",string"`
}

// Save writes the tier to file, which is a directory: beside it first, as
// file.new, then in place of what Save wrote there before. Anything else that is
// there is left alone, with an error. It may be called while the tier is in use,
// and takes about a second for a GiB; it gives up when nothing is written for
// half a minute.
func (m *Memory) Save(file string) error {
	m.saves.Lock()
	defer m.saves.Unlock()
	if err := m.save(filepath.Clean(file)); err != nil {
		return fmt.Errorf("save cache: %w", err)
	}
	return nil
}

func (m *Memory) save(file string) error {
	fresh, old := file+".new", file+".old"
	for _, dir := range []string{file, fresh, old} {
		if err := oursOrNothing(dir); err != nil {
			return err
		}
	}
	defer os.RemoveAll(fresh)
	if err := errors.Join(os.RemoveAll(fresh), os.RemoveAll(old), os.MkdirAll(fresh, 0o700)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(fresh, manifestName), nil, 0o600); err != nil { // ours, and torn
		return err
	}
	if err := m.saveRings(fresh); err != nil {
		return err
	}
	if err := m.writeManifest(fresh); err != nil {
		return err
	}
	if err := os.Rename(file, old); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, file); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// Remove takes away what Save wrote to file. Anything else that is there is left
// alone, with an error.
func Remove(file string) error {
	if err := oursOrNothing(file); err != nil {
		return err
	}
	return os.RemoveAll(file)
}

// saveStall is how long nothing may be written before a save is given up.
const saveStall = 15 * time.Second

// saveRings waits for fastcache, but not longer than it gets on: when all of its
// workers have failed, for the disk is full, v1.13.0 waits for one to take the
// next ring, for ever. What it holds then is lost: three goroutines, no lock.
func (m *Memory) saveRings(dir string) error {
	done := make(chan error, 1)
	go func() { done <- m.ring.SaveToFileConcurrent(filepath.Join(dir, ringName), 0) }()
	look := time.NewTicker(m.stall)
	defer look.Stop()
	for size := int64(-1); ; {
		select {
		case err := <-done:
			return err
		case <-look.C:
		}
		now := written(dir)
		if now == size {
			return fmt.Errorf("%s: nothing is written any more after %d MiB; the disk may be full", dir, now>>20)
		}
		size = now
	}
}

func written(dir string) (size int64) {
	filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // renamed meanwhile
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size
}

func (m *Memory) writeManifest(dir string) error {
	l := manifest{Format: format, Data: m.plan.data, At: make([]uint64, rings)}
	for i := range m.shards {
		// What was put meanwhile is in the one and not in the other: a renewal
		// more or less.
		l.At[i] = m.shards[i].pos.Load()
	}
	var err error
	if l.Files, err = sums(filepath.Join(dir, ringName)); err != nil {
		return err
	}
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, manifestName), append(sumLine(body), body...), 0o600)
}

// Load fills the tier with what Save wrote, at the same Size. If it is not
// there (fs.ErrNotExist), torn, changed, of another version or size, the tier is
// empty and the error says so. Nobody else may use the tier yet.
func (m *Memory) Load(file string) error {
	m.Reset()
	l, err := m.check(file)
	if err != nil {
		return fmt.Errorf("load cache: %w", err)
	}
	c, err := fastcache.LoadFromFileMaxBytes(filepath.Join(file, ringName), int(m.plan.data))
	if err != nil {
		return fmt.Errorf("load cache: %w", err)
	}
	m.ring = c
	for i := range m.shards {
		m.shards[i].pos.Store(l.At[i])
	}
	return nil
}

// check tells whether all that the manifest names is there as it was, and no more.
func (m *Memory) check(dir string) (manifest, error) {
	l, err := readManifest(dir)
	if err != nil {
		return l, err
	}
	if l.Data != m.plan.data {
		return l, fmt.Errorf("%s holds rings of %d MiB, and there are %d", dir, l.Data>>20, m.plan.data>>20)
	}
	now, err := sums(filepath.Join(dir, ringName))
	if err != nil {
		return l, err
	}
	if len(now) != len(l.Files) {
		return l, fmt.Errorf("%s is corrupt: %d files of %d", dir, len(now), len(l.Files))
	}
	for i, want := range l.Files { // both in the order of their names
		if now[i] != want {
			return l, fmt.Errorf("%s is corrupt: %s is not as it was saved", dir, want.Name)
		}
	}
	return l, nil
}

func readManifest(dir string) (l manifest, err error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		if _, e := os.Stat(dir); e == nil && !errors.Is(err, fs.ErrPermission) {
			return l, fmt.Errorf("%s is no saved cache: there is no %s in it", dir, manifestName)
		}
		return l, err
	}
	line, body, _ := strings.Cut(string(b), "\n")
	if len(body) == 0 || string(sumLine([]byte(body))) != line+"\n" {
		return l, fmt.Errorf("%s is corrupt: %s is torn", dir, manifestName)
	}
	if err := json.Unmarshal([]byte(body), &l); err != nil || l.Format != format || len(l.At) != rings {
		return l, fmt.Errorf("%s was saved by another version", dir)
	}
	return l, nil
}

func sumLine(body []byte) []byte { return fmt.Appendf(nil, "%016x\n", xxhash.Sum64(body)) }

// sums reads all files of dir.
func sums(dir string) ([]saved, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	all := make([]saved, 0, len(entries))
	for _, e := range entries {
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		sum := xxhash.New()
		n, err := io.Copy(sum, f)
		f.Close()
		if err != nil {
			return nil, err
		}
		all = append(all, saved{e.Name(), n, sum.Sum64()})
	}
	return all, nil
}

// oursOrNothing keeps Save from removing what somebody else put there: a flag
// with a slip in it may name a home directory.
func oursOrNothing(dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(dir, manifestName)); err != nil {
		return fmt.Errorf("%s is there and is no saved cache", dir)
	}
	return nil
}
