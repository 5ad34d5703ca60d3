package memory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSavedIsLoaded(t *testing.T) {
	m, file := saved100(t)
	for range 2 { // and in place of the first
		if err := m.Save(file); err != nil {
			t.Fatal(err)
		}
	}
	n := least(t)
	if err := n.Load(file); err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		key := fmt.Sprint("key", i)
		rec, epoch, ok := n.Find(nil, []byte(key))
		if string(rec) != "record of "+key || epoch != uint64(i) || !ok {
			t.Errorf("under %s is %q of epoch %d", key, rec, epoch)
		}
	}
	s := n.shard([]byte("key1"))
	if was := m.shard([]byte("key1")).pos.Load(); s.pos.Load() != was || s.renewed.Load() != 0 {
		t.Errorf("a ring is at %d and was at %d; %d renewals", s.pos.Load(), was, s.renewed.Load())
	}
	beside, _ := os.ReadDir(filepath.Dir(file))
	if len(beside) != 1 {
		t.Errorf("%d files where one was saved", len(beside))
	}
}

func TestWhatIsNotAsSavedIsRefused(t *testing.T) {
	f := func(want string, spoil func(dir string)) {
		t.Helper()
		_, file := saved100(t)
		spoil(file)
		n := least(t)
		n.Put([]byte("before"), nil, 0)
		err := n.Load(file)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%v, not %q", err, want)
		}
		if has(n, "key1") || has(n, "before") {
			t.Error("the tier is not empty")
		}
		if n.Put([]byte("after"), nil, 0); !has(n, "after") {
			t.Error("the tier is of no use any more")
		}
	}
	list := func(dir string) string { return filepath.Join(dir, manifestName) }
	data := func(dir string) (longest string) { // who saves which buckets is anybody's guess
		var most int64
		all, _ := filepath.Glob(filepath.Join(dir, ringName, "data.*.bin"))
		for _, file := range all {
			if info, err := os.Stat(file); err == nil && info.Size() > most {
				longest, most = file, info.Size()
			}
		}
		return longest
	}
	f("no such file", func(dir string) { os.RemoveAll(dir) })
	f("no saved cache", func(dir string) { os.Remove(list(dir)) })
	f("no saved cache", func(dir string) { os.RemoveAll(dir); os.WriteFile(dir, []byte("text"), 0o600) })
	f("torn", func(dir string) { os.Truncate(list(dir), 0) })
	f("torn", func(dir string) { os.Truncate(list(dir), 100) })
	f("torn", func(dir string) { flip(t, list(dir), 30) })
	f("another version", func(dir string) {
		body := []byte(`{"Format":"multiserver cache 0"}`)
		os.WriteFile(list(dir), append(sumLine(body), body...), 0o600)
	})
	f(".bin is not as", func(dir string) { flip(t, data(dir), 1000) })
	f(".bin is not as", func(dir string) { os.Truncate(data(dir), 1000) })
	f("corrupt", func(dir string) { os.Remove(data(dir)) })
	f("corrupt", func(dir string) { os.WriteFile(filepath.Join(dir, ringName, "data.9.bin"), nil, 0o600) })
}

func TestOfAnotherSizeIsRefused(t *testing.T) {
	_, file := saved100(t)
	n := sized(t, 2*Least)
	if err := n.Load(file); err == nil || !strings.Contains(err.Error(), "rings of 32 MiB, and there are 64") {
		t.Error(err)
	}
}

func TestNoFileIsToldApart(t *testing.T) {
	if err := least(t).Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestSaveLeavesWhatIsNotOurs(t *testing.T) {
	f := func(name string) {
		t.Helper()
		m, home := least(t), t.TempDir()
		letter := filepath.Join(home, name, "letter")
		os.MkdirAll(filepath.Dir(letter), 0o700)
		os.WriteFile(letter, nil, 0o600)
		if m.Save(filepath.Join(home, "cache")) == nil {
			t.Errorf("%s was taken for ours", name)
		}
		if _, err := os.Stat(letter); err != nil {
			t.Error(err)
		}
	}
	f("cache")
	f("cache.new")
	f("cache.old")
}

// A process that was killed while it saved leaves a directory beside, which
// the next one replaces.
func TestATornSaveIsReplaced(t *testing.T) {
	m, file := saved100(t)
	os.MkdirAll(file+".new", 0o700)
	os.WriteFile(filepath.Join(file+".new", manifestName), nil, 0o600)
	if err := m.Save(file); err != nil {
		t.Error(err)
	}
	if err := least(t).Load(file); err != nil {
		t.Error(err)
	}
}

func saved100(t *testing.T) (m *Memory, file string) {
	t.Helper()
	m, file = least(t), filepath.Join(t.TempDir(), "cache")
	for i := range 100 {
		m.Put(fmt.Append(nil, "key", i), fmt.Append(nil, "record of key", i), uint64(i))
	}
	if err := m.Save(file); err != nil {
		t.Fatal(err)
	}
	return m, file
}

func flip(t *testing.T, file string, at int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
