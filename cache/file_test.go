package cache

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"multiserver/cache/memory"
	"multiserver/cache/purge"
	"multiserver/cache/redis"
	"multiserver/cache/redis/redistest"
)

const kept = "HTTP/1.1 200 OK\nCache-Control: max-age=1000\nSurrogate-Key: t\n\none"

// begun is a stage that has begun with what is in file.
func begun(t *testing.T, file string, log *bytes.Buffer) *stage {
	t.Helper()
	s := newStage(t, Options{File: file, Log: slog.New(slog.NewTextHandler(log, nil))})
	s.answers(kept)
	s.c.Begin()
	return s
}

// saved is a file of a stage that has fetched /x.
func saved(t *testing.T, log *bytes.Buffer) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "cache")
	a := begun(t, file, log)
	a.get("/x")
	if err := a.c.Save(); err != nil {
		t.Fatal(err)
	}
	return file
}

func (s *stage) finds(t *testing.T, path, want string) {
	t.Helper()
	if _, got := s.get(path); !strings.Contains(got, want) {
		t.Errorf("%s is %s, want %s", path, got, want)
	}
}

func TestAnswersAndPurgesOutliveARestart(t *testing.T) {
	var log bytes.Buffer
	file := filepath.Join(t.TempDir(), "cache")
	a := begun(t, file, &log)
	a.get("/x")
	a.get("/y")
	long := "HTTP/1.1 200 OK\nCache-Control: max-age=1000\n\n" + strings.Repeat("long", 100_000)
	a.answers(long)
	a.get("/long")
	if _, err := a.c.Order(t.Context(), &Order{URL: "http://example.org/y"}); err != nil {
		t.Fatal(err)
	}
	if err := a.c.Save(); err != nil {
		t.Fatal(err)
	}
	b := begun(t, file, &log)
	b.finds(t, "/x", "; hit")
	b.finds(t, "/y", "fwd=")
	if body, got := b.get("/long"); !strings.Contains(got, "; hit") || len(body) != 400_000 {
		t.Errorf("the long one: %d bytes, %s", len(body), got)
	}
	if !strings.Contains(log.String(), `msg="cache loaded"`) {
		t.Error(log.String())
	}
}

// Between Begin and Save answers are purged that File still holds.
func TestAProcessThatCrashedLeavesNothing(t *testing.T) {
	var log bytes.Buffer
	file := saved(t, &log)
	begun(t, file, &log).finds(t, "/x", "; hit") // and ends without Save
	log.Reset()
	b := begun(t, file, &log)
	b.finds(t, "/x", "fwd=uri-miss")
	if !strings.Contains(log.String(), "did not end well") {
		t.Error(log.String())
	}
	if err := b.c.Save(); err != nil {
		t.Fatal(err)
	}
	begun(t, file, &log).finds(t, "/x", "; hit")
}

// A start that fails before requests come has used nothing up.
func TestAStartThatFailsKeepsTheFile(t *testing.T) {
	var log bytes.Buffer
	file := saved(t, &log)
	newStage(t, Options{File: file, Log: slog.New(slog.DiscardHandler)})
	begun(t, file, &log).finds(t, "/x", "; hit")
}

func TestWhatCannotBeLoadedIsSaidOnceAndNotUsed(t *testing.T) {
	f := func(what string, harm func(file string) error, want string) {
		t.Helper()
		var log bytes.Buffer
		file := saved(t, &log)
		if err := harm(file); err != nil {
			t.Fatal(err)
		}
		log.Reset()
		b := begun(t, file, &log)
		b.finds(t, "/x", "fwd=uri-miss")
		if got := log.String(); !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: logged %s, want %s", what, got, want)
		}
	}
	f("absent", os.RemoveAll, `level=INFO msg="no cache was kept`)
	f("torn marks", func(file string) error { return os.Truncate(filepath.Join(file, marksName), 9) }, "is torn")
	f("no marks", func(file string) error { return os.Remove(filepath.Join(file, marksName)) }, "did not end well")
	f("torn records", func(file string) error {
		all, err := filepath.Glob(filepath.Join(file, "rings", "*"))
		if err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		return os.Truncate(all[len(all)-1], 1)
	}, "corrupt")
	f("somebody else's", func(file string) error {
		if err := os.RemoveAll(file); err != nil {
			return err
		}
		return os.MkdirAll(filepath.Join(file, "mine"), 0o700)
	}, "begins empty")
}

func TestAnotherSizeBeginsEmpty(t *testing.T) {
	var log bytes.Buffer
	file := saved(t, &log)
	c, err := New(t.Context(), Options{File: file, Memory: memory.Options{Size: 256 << 20}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n := c.mem.Stats().Entries; n != 0 {
		t.Errorf("%d entries", n)
	}
	if !strings.Contains(log.String(), "holds rings of") {
		t.Error(log.String())
	}
}

// What was kept is asked about at Redis before it is used: another node may
// have dropped it meanwhile.
func TestWhatWasKeptIsSuspectWhereThereIsRedis(t *testing.T) {
	server := redistest.Single(t)
	file := filepath.Join(t.TempDir(), "cache")
	node := func(file string) *stage {
		s := newStage(t, Options{File: file, Redis: &redis.Options{URL: server.URL()}})
		within(t, "redis up", s.c.far.Up)
		s.answers(kept)
		s.c.Begin()
		return s
	}
	a, b := node(file), node("")
	a.get("/x")
	a.get("/y")
	a.get("/z")
	within(t, "it is in redis", func() bool { return a.c.far.Stats.Puts.Load() == 3 })
	if err := a.c.Save(); err != nil {
		t.Fatal(err)
	}
	a.c.Close()
	b.c.dropOne(b.c.Key(false, []byte("example.org"), []byte("/x")))
	if err := b.c.Purge(t.Context(), purge.Mark{Kind: purge.URL, Name: []byte("example.org/z")}); err != nil {
		t.Fatal(err)
	}
	within(t, "dropped", func() bool { return b.c.far.Stats.Drops.Load() == 1 })
	c := node(file)
	c.finds(t, "/x", "fwd=")
	c.finds(t, "/y", "detail=redis")
	c.finds(t, "/z", "fwd=")
}
