package server

import (
	"net"
	"sync"
	"time"
)

// waits are connections from which something must come before there is an
// exchange, for when there is no more time for that.
type waits struct {
	mu   sync.Mutex
	open map[net.Conn]struct{} // guarded by mu
	over bool                  // guarded by mu; and there are to be no more
}

// enter tells whether nc may be waited for; if so, all waits on it end d from
// now.
func (w *waits) enter(nc net.Conn, d time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return false
	}
	if w.open == nil {
		w.open = map[net.Conn]struct{}{}
	}
	w.open[nc] = struct{}{}
	_ = nc.SetDeadline(time.Now().Add(d)) // with mu held: it must not come behind that of end
	return true
}

// leave tells whether to go on; if so, waits on nc have no end any more.
func (w *waits) leave(nc net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, nc)
	if !w.over {
		_ = nc.SetDeadline(time.Time{})
	}
	return !w.over
}

// endWithin ends the waits that are still under way after d, and those to
// come.
func (w *waits) endWithin(d time.Duration) (now func()) {
	t := time.AfterFunc(d, w.end)
	return func() { t.Stop(); w.end() }
}

func (w *waits) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	for nc := range w.open {
		_ = nc.SetDeadline(time.Unix(1, 0))
	}
}
