package proxy

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// logBound is how much of the log may wait for the disk: at 400 bytes a
	// line, 2600 lines. What comes beyond is dropped and counted: a full disk
	// or a stuck pipe costs lines and not requests.
	logBound = 1 << 20

	// logLinger is how long the writer lets lines gather, so that a burst
	// costs one write and not one for each line: a write costs as much as 40
	// lines. logBatch of them cut it short, while they are in the core's cache.
	logLinger = 100 * time.Millisecond
	logBatch  = 128 << 10

	// logClose is how long Close waits for a writer that is stuck.
	logClose = 5 * time.Second
)

// Loss is why a line of the access log was never written.
type Loss uint8

// The losses.
const (
	LostFull   Loss = iota // more wait than may: what they are written to is slow, or stuck
	LostFailed             // it could not be written: a full disk, a syslog that is away
	LostLate               // it came after Close
	Losses                 // how many there are
)

var lossNames = [Losses]string{"full", "failed", "late"}

func (l Loss) String() string { return lossNames[l] }

// Log is the access log. Append never waits for I/O: it copies the line into a
// buffer, and one goroutine writes what has gathered. It may be called from any
// number of goroutines.
type Log struct {
	w     io.Writer
	form  form
	clock atomic.Pointer[stamp]

	mu     sync.Mutex
	fill   []byte // the lines that wait; swapped for an empty one to write them
	closed bool   // guarded by mu, as is fill

	torn bool // of the writer: what is there ends within a line

	wake chan struct{} // there are lines, or there are many, or it is over
	done chan struct{} // closed when the writer has returned
	lost [Losses]atomic.Uint64
}

// NewLog starts the goroutine that writes whole lines to w; Close ends it. w is
// used by that goroutine alone, and closing it is the caller's. A Write that
// fails is not tried again.
func NewLog(w io.Writer, f LogForm) *Log {
	l := &Log{
		w:    w,
		form: compile(f),
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
	if !l.take(line) {
		l.lost[LostLate].Add(1)
	}
}

// take is Append, but false, and nothing counted, if the log is closed.
func (l *Log) take(line []byte) bool {
	l.mu.Lock()
	if l.closed || len(l.fill)+len(line) > logBound {
		closed := l.closed
		l.mu.Unlock()
		if !closed {
			l.lost[LostFull].Add(1)
		}
		return !closed
	}
	before := len(l.fill)
	l.fill = append(l.fill, line...)
	after := len(l.fill)
	l.mu.Unlock()

	first := before == 0
	many := before < logBatch && after >= logBatch
	if first || many {
		l.signal()
	}
	return true
}

// Lost counts the lines that were never written, by why.
func (l *Log) Lost(why Loss) uint64 { return l.lost[why].Load() }

// Dropped counts all of them.
func (l *Log) Dropped() (n uint64) {
	for i := range l.lost {
		n += l.lost[i].Load()
	}
	return n
}

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
		if !l.many() {
			linger.Reset(logLinger)
			select {
			case <-linger.C:
			case <-l.wake: // many, or it is over
			}
		}
		empty, closed = l.flush(empty)
	}
}

// many tells whether there is nothing to wait for.
func (l *Log) many() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed || len(l.fill) >= logBatch
}

// flush puts empty in place of the buffer that gathers, writes that one, and
// gives it back emptied. Once closed was seen no line can come after it.
func (l *Log) flush(empty []byte) (_ []byte, closed bool) {
	l.mu.Lock()
	full := l.fill
	l.fill = empty
	closed = l.closed
	l.mu.Unlock()

	if len(full) > 0 {
		l.put(full)
	}
	return full[:0], closed
}

var newline = []byte("\n")

// put writes lines. A disk that fills up takes a part of what it is given: the
// line it breaks off in is lost, and ended before the next one, when there is
// room again, so that no two ever become one.
func (l *Log) put(lines []byte) {
	if l.torn {
		if _, err := l.w.Write(newline); err != nil {
			l.lost[LostFailed].Add(uint64(bytes.Count(lines, newline)))
			return
		}
		l.torn = false
	}
	n, err := l.w.Write(lines)
	if err == nil {
		return
	}
	n = max(0, min(n, len(lines)))
	l.torn = n > 0 && lines[n-1] != '\n'
	l.lost[LostFailed].Add(uint64(bytes.Count(lines[n:], newline)))
}
