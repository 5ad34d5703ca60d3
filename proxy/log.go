package proxy

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// logBound is how much of the log may wait for the disk: at 200 bytes a
	// line, 5000 lines. What comes beyond is dropped and counted: a full disk
	// or a stuck pipe costs lines and not requests.
	logBound = 1 << 20

	// logLinger is how long the writer lets lines gather, so that a burst
	// costs one write and not one for each line. Half a buffer cuts it short.
	logLinger = 20 * time.Millisecond

	// logClose is how long Close waits for a writer that is stuck.
	logClose = 5 * time.Second
)

// Log is the access log's writer. Append never waits for I/O: it copies the
// line into a buffer, and one goroutine writes what has gathered. It may be
// called from any number of goroutines.
type Log struct {
	w io.Writer

	mu     sync.Mutex
	fill   []byte // the lines that wait; swapped for an empty one to write them
	lines  uint64 // how many fill holds
	closed bool

	wake    chan struct{} // there are lines, or there are many, or it is over
	done    chan struct{} // closed when the writer has returned
	dropped atomic.Uint64
}

// NewLog starts the goroutine that writes to w; Close ends it. w is used by
// that goroutine alone, and closing it is the caller's.
func NewLog(w io.Writer) *Log {
	l := &Log{
		w:    w,
		fill: make([]byte, 0, logBound),
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	go l.write()
	return l
}

// Append copies line, which ends in a newline, to be written soon. It drops
// the line, and counts it, when the buffer is full or the log is closed.
func (l *Log) Append(line []byte) {
	l.mu.Lock()
	if l.closed || len(l.fill)+len(line) > logBound {
		l.mu.Unlock()
		l.dropped.Add(1)
		return
	}
	before := len(l.fill)
	l.fill = append(l.fill, line...)
	after := len(l.fill)
	l.lines++
	l.mu.Unlock()

	first := before == 0
	half := before < logBound/2 && after >= logBound/2
	if first || half {
		l.signal()
	}
}

// Dropped counts the lines that were never written.
func (l *Log) Dropped() uint64 { return l.dropped.Load() }

// Close writes what has gathered and ends the goroutine. Lines that come
// later are dropped. A writer that is stuck is left behind after a while.
func (l *Log) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.signal()

	late := time.NewTimer(logClose)
	defer late.Stop()
	select {
	case <-l.done:
		return nil
	case <-late.C:
		return errors.New("access log: its writer is stuck, the last lines are lost")
	}
}

// signal never waits: one signal that is not taken yet says enough.
func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// write is the goroutine: wait for a first line, let more gather, write them.
func (l *Log) write() {
	defer close(l.done)
	empty := make([]byte, 0, logBound)
	linger := time.NewTimer(logLinger)
	for closed := false; !closed; {
		<-l.wake
		linger.Reset(logLinger)
		select {
		case <-linger.C:
		case <-l.wake: // many, or it is over
		}
		empty, closed = l.flush(empty)
	}
}

// flush puts empty in place of the buffer that gathers, writes that one, and
// gives it back emptied. Once closed was seen no line can come after it.
func (l *Log) flush(empty []byte) (_ []byte, closed bool) {
	l.mu.Lock()
	full, lines := l.fill, l.lines
	l.fill, l.lines = empty, 0
	closed = l.closed
	l.mu.Unlock()

	if len(full) > 0 {
		if _, err := l.w.Write(full); err != nil {
			l.dropped.Add(lines) // some may have been written: rather too many
		}
	}
	return full[:0], closed
}
