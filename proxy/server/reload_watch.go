package server

import (
	"context"
	"os"
	"time"
)

// lookEvery is how often a watched file is looked at. A stat sees whatever a
// notification of the kernel's would, and also what it would not: a directory
// swapped as Kubernetes does it, a file on another machine's disk, an editor
// that writes another file and renames it.
const lookEvery = 500 * time.Millisecond

// watchFile reloads when the file has changed, and two looks have seen it the
// same: who writes it in place is not done at once. While there is none, it is
// about to be replaced.
func (s *Server) watchFile(ctx context.Context, name string) {
	used, _ := os.Stat(name)
	seen := used
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		now, err := os.Stat(name)
		switch {
		case err != nil || sameFile(now, used):
		case !sameFile(now, seen):
			seen = now
		default:
			used = now
			_, _ = s.Reload() // it has told
		}
	}
}

func sameFile(a, b os.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
