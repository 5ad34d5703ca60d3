//go:build linux

package spawn

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRollReplacesAll(t *testing.T) {
	t.Parallel()
	for _, surge := range []int{1, 3} {
		s := start(t, "serve", func(o *Options) { o.Instances, o.Surge = 3, surge }).ready(3)
		before := s.pids()
		if err := s.Roll(t.Context(), Roll); err != nil {
			t.Fatal(err)
		}
		for pid := range s.pids() {
			if before[pid] {
				t.Errorf("%d is still there", pid)
			}
		}
		if s.Ready() != 3 || s.Stats.Ends[Roll].Load() != 3 || s.Stats.Rolls.Load() != 1 {
			t.Errorf("%d ready, %d rolled", s.Ready(), s.Stats.Ends[Roll].Load())
		}
		s.event(Rolled)
	}
}

func (s *stage) pids() map[int]bool {
	s.door.Lock()
	defer s.door.Unlock()
	all := map[int]bool{}
	for _, c := range s.members {
		all[c.pid()] = true
	}
	return all
}

func TestAReleaseThatNeverGetsReadyLeavesTheOldOnes(t *testing.T) {
	t.Parallel()
	release := filepath.Join(t.TempDir(), "release")
	s := start(t, "released "+release, func(o *Options) { o.Instances = 2 }).ready(2)
	before := s.pids()
	os.WriteFile(release, []byte("bad"), 0o644)
	err := s.Roll(t.Context(), Roll)
	if err == nil || !has(err.Error(), "given up, the old ones go on", "instance 0", "SyntaxError") {
		t.Errorf("error %v", err)
	}
	if e := s.event(RollFailed); !strings.Contains(e.Detail, "SyntaxError") || s.Stats.Failed.Load() != 1 {
		t.Errorf("event %+v", e)
	}
	for pid := range before {
		if !s.pids()[pid] {
			t.Errorf("%d is gone", pid)
		}
	}
	os.WriteFile(release, []byte("good"), 0o644)
	if err := s.Roll(t.Context(), Roll); err != nil {
		t.Error(err)
	}
}

// A roll wakes those who wait to be tried again: it may be the cure.
func TestARollCures(t *testing.T) {
	t.Parallel()
	release := filepath.Join(t.TempDir(), "release")
	os.WriteFile(release, []byte("bad"), 0o644)
	s := start(t, "released "+release)
	for range 3 {
		s.event(Crashed)
	}
	os.WriteFile(release, nil, 0o644)
	if err := s.Roll(t.Context(), Roll); err != nil {
		t.Error(err)
	}
	s.ready(1)
}

func TestRollsAreOneAtATime(t *testing.T) {
	t.Parallel()
	s := start(t, "serve").ready(1)
	s.rolling <- struct{}{}
	if err := s.Roll(t.Context(), Roll); err != ErrRolling {
		t.Errorf("error %v", err)
	}
	s.Want(Roll)
	s.Want(Roll)
	<-s.rolling
	s.event(Rolled)
	s.stop()
	s.wait()
	if err := s.Roll(t.Context(), Roll); err != errNotRunning {
		t.Errorf("error %v", err)
	}
	if err := s.Scale(2); err != errNotRunning {
		t.Errorf("error %v", err)
	}
}

func TestWhoeverWantedItMayLeave(t *testing.T) {
	t.Parallel()
	s := start(t, "serve", func(o *Options) { o.Instances = 2 }).ready(2)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("gone"))
	if err := s.Roll(ctx, Roll); err == nil || !strings.Contains(err.Error(), "0 of 2 are new: whoever wanted it is gone") {
		t.Errorf("error %v", err)
	}
}

func TestAgeAndRequestsReplace(t *testing.T) {
	t.Parallel()
	f := func(cause string, change func(*Options)) {
		t.Run(cause, func(t *testing.T) {
			t.Parallel()
			s := start(t, "serve", change).ready(1)
			first := s.event(Ready)
			var tried tried
			for range 20 {
				tried.Reset()
				s.pool.Pick(0, &tried.Tried).Done(nil, 200)
			}
			if e := s.event(Restart); e.Cause != cause {
				t.Errorf("restarted for %s", e.Cause)
			}
			if e := s.event(Ready); e.PID == first.PID {
				t.Error("it is the same")
			}
			if e := s.event(Stop); e.PID != first.PID || e.Cause != cause {
				t.Errorf("stopped: %+v", e)
			}
		})
	}
	f("age", func(o *Options) { o.MaxAge = time.Second })
	f("requests", func(o *Options) { o.MaxRequests = 20 })
}

func TestAChangedFileRolls(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "src/deep"), 0o755)
	s := start(t, "serve", func(o *Options) { o.Watch = []string{dir + "/src/**/*.js"} }).ready(1)
	os.WriteFile(filepath.Join(dir, "src/deep/app.js"), []byte("1"), 0o644)
	if e := s.event(Rolled); e.Cause != "changed" {
		t.Errorf("rolled for %s", e.Cause)
	}
}

func TestPatternsOfFiles(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"a.js", "b.txt", "lib/c.js", "lib/deep/d.js", "node_modules/e.js", ".git/f.js"} {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, f)), 0o755)
		os.WriteFile(filepath.Join(dir, f), nil, 0o644)
	}
	f := func(glob string, touched string, want bool) {
		t.Helper()
		all, err := compile([]string{filepath.Join(dir, glob)})
		if err != nil {
			t.Fatal(err)
		}
		before, _ := state(all)
		os.WriteFile(filepath.Join(dir, touched), []byte(glob+touched), 0o644)
		after, _ := state(all)
		os.WriteFile(filepath.Join(dir, touched), nil, 0o644)
		if (before != after) != want {
			t.Errorf("%s: %s changed, seen: %v", glob, touched, !want)
		}
	}
	f("*.js", "a.js", true)
	f("*.js", "b.txt", false)
	f("*.js", "lib/c.js", false)
	f("a.js", "a.js", true)
	f("?.js", "a.js", true)
	f("[b-z].js", "a.js", false)
	f("*/*.js", "lib/c.js", true)
	f("*/*.js", "lib/deep/d.js", false)
	f("**/*.js", "a.js", true)
	f("**/*.js", "lib/deep/d.js", true)
	f("lib/**", "lib/deep/d.js", true)
	f("**", "node_modules/e.js", false)
	f("**", ".git/f.js", false)
}
