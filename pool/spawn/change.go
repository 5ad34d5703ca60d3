package spawn

import (
	"context"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// watched is a pattern of files: as a shell has it, and with ** for any number
// of directories.
type watched struct {
	root    string // where to look: the directories before the first wildcard
	pattern *regexp.Regexp
	deep    bool // below root, however far
}

const (
	watchEvery = 500 * time.Millisecond
	mostFiles  = 20000 // seen in a look; a pattern that meets more is too wide
)

func compile(globs []string) (all []watched, err error) {
	for _, g := range globs {
		w, err := compileOne(g)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", g, err)
		}
		all = append(all, w)
	}
	return all, nil
}

func compileOne(glob string) (watched, error) {
	glob = filepath.ToSlash(filepath.Clean(glob))
	if _, err := filepath.Match(glob, ""); err != nil {
		return watched{}, err
	}
	dir := glob
	for strings.ContainsAny(dir, "*?[") {
		dir = filepath.ToSlash(filepath.Dir(dir))
	}
	if info, err := os.Stat(dir); err != nil {
		return watched{}, fmt.Errorf("%s: %w", dir, cause(err))
	} else if dir == glob && info.IsDir() {
		return watched{}, fmt.Errorf("is a directory, want %s/** for all below it", dir)
	}
	var b strings.Builder
	b.WriteString("^")
	for i := 0; i < len(glob); i++ {
		switch {
		case strings.HasPrefix(glob[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case glob[i] == '*':
			b.WriteString("[^/]*")
		case glob[i] == '?':
			b.WriteString("[^/]")
		case glob[i] == '[' && strings.Contains(glob[i:], "]"):
			end := i + strings.IndexByte(glob[i:], ']')
			b.WriteString(glob[i : end+1])
			i = end
		default:
			b.WriteString(regexp.QuoteMeta(glob[i : i+1]))
		}
	}
	re, err := regexp.Compile(b.String() + "$")
	rest := strings.TrimPrefix(glob, dir)
	return watched{root: dir, pattern: re, deep: strings.Contains(rest, "**") || strings.Count(strings.Trim(rest, "/"), "/") > 0}, err
}

var seed = maphash.MakeSeed()

// state is a number that is another when a file is.
func state(all []watched) (sum uint64, full bool) {
	left := mostFiles
	for _, w := range all {
		_ = filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
			if left--; left < 0 {
				return fs.SkipAll
			}
			switch {
			case err != nil:
				return nil
			case d.IsDir() && path != w.root && (!w.deep || d.Name() == "node_modules" || d.Name()[0] == '.'):
				return fs.SkipDir
			case d.IsDir() || !w.pattern.MatchString(filepath.ToSlash(path)):
				return nil
			}
			if info, err := d.Info(); err == nil {
				sum += maphash.String(seed, fmt.Sprint(path, info.Size(), info.ModTime().UnixNano()))
			}
			return nil
		})
	}
	return sum, left < 0
}

// watch rolls when files have changed and then stayed for a look: an editor, or
// a build, writes several.
func (a *App) watch(ctx context.Context) {
	all, _ := compile(a.opt.Watch)
	rolled, full := state(all)
	if full {
		a.opt.Log.Warn("too many files to watch, not all of them are seen; want a narrower pattern", "app", a.opt.Name, "most", mostFiles)
	}
	last := rolled
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now, _ := state(all)
		if now == last && now != rolled {
			rolled = now
			a.Want(Changed)
		}
		last = now
	}
}
