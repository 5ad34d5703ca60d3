package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// What memory held is kept over a restart as memory keeps it, in a directory,
// and with it the marks of purges, in a file in there. Without the marks the
// records are not used; so whoever removes the marks has used the rest up.
//
// That is done when requests begin to come: from then on answers are purged,
// dropped and replaced, and a crash must not bring back those that were kept.

const marksName = "purges"

func (c *Cache) marksPath() string { return filepath.Join(c.opt.File, marksName) }

// source is what a start begins with: an heir with what HandOn has kept.
func (c *Cache) source() string {
	if c.opt.Heir {
		return c.heirs()
	}
	return c.opt.File
}

// load fills memory and marks with what Save has kept, and tells whether it
// did. If anything is wrong with it, memory is empty and the log says why.
func (c *Cache) load() bool {
	if c.opt.File == "" {
		return false
	}
	begin := time.Now()
	if err := c.restore(); err != nil {
		c.mem.Reset()
		if errors.Is(err, fs.ErrNotExist) {
			c.opt.Log.Info("no cache was kept, it begins empty", "file", c.source())
		} else {
			c.opt.Log.Warn("the cache that was kept is not used, it begins empty", "file", c.source(), "cause", err)
		}
		return false
	}
	c.inherited = c.opt.Heir
	c.opt.Log.Info("cache loaded", "file", c.source(), "entries", c.mem.Stats().Entries, "took", time.Since(begin))
	return true
}

func (c *Cache) restore() error {
	from := filepath.Join(c.source(), marksName)
	b, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		if _, there := os.Stat(c.source()); there == nil {
			return errors.New("it is used up: the process that began with it did not end well")
		}
	}
	if err != nil {
		return err
	}
	if !c.marks.Restore(b) {
		return fmt.Errorf("%s is torn, or another version's", from)
	}
	c.kept = !c.opt.Heir
	return c.mem.Load(c.source())
}

// Begin says that requests come from here on: what New found in File is used
// up. If it cannot be, memory is emptied, since the next start would take for
// good what was purged by then.
func (c *Cache) Begin() {
	if !c.kept {
		return
	}
	c.kept = false
	if err := os.Remove(c.marksPath()); err != nil {
		c.opt.Log.Error("the cache that was kept cannot be marked as used: it begins empty", "file", c.opt.File, "cause", err)
		c.mem.Reset()
	}
}

// Save keeps memory and marks in File, if there is one. It belongs at the end,
// when no requests come any more.
func (c *Cache) Save() error {
	if c.opt.File == "" {
		return nil
	}
	return c.saveTo(c.opt.File)
}

func (c *Cache) saveTo(file string) error {
	begin := time.Now()
	if err := c.mem.Save(file); err != nil {
		return err
	}
	// Behind the records, so that they include all that those were purged by.
	path := filepath.Join(file, marksName)
	if err := os.WriteFile(path+".new", c.marks.Save(nil), 0o600); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	c.opt.Log.Info("cache saved", "file", file, "entries", c.mem.Stats().Entries, "took", time.Since(begin))
	return nil
}

// firstLink is how long a start waits for Redis: what was kept may have been
// dropped by other nodes meanwhile, and only Redis knows.
const firstLink = 2 * time.Second

func (c *Cache) awaitRedis(ctx context.Context) {
	for end := time.Now().Add(firstLink); !c.far.Up() && time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(5 * time.Millisecond)
	}
	if !c.far.Up() {
		c.opt.Log.Warn("redis does not answer: what other nodes dropped since the cache was kept is not known", "file", c.opt.File)
	}
}
