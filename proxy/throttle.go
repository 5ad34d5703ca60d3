package proxy

import "sync"

// throttle lets through a few log lines a second, and counts the rest. The
// zero value is ready.
type throttle struct {
	mu        sync.Mutex
	second    int64 // guarded by mu, as are the others
	lines     int
	swallowed int
}

// perSecond is how many lines of one kind a person can still read.
const perSecond = 10

// allow tells whether there may be a line at now, in milliseconds, and how
// many there would have been since the last.
func (t *throttle) allow(now int64) (swallowed int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := now / 1000; s != t.second {
		t.second, t.lines = s, 0
	}
	if t.lines == perSecond {
		t.swallowed++
		return 0, false
	}
	t.lines++
	swallowed, t.swallowed = t.swallowed, 0
	return swallowed, true
}
