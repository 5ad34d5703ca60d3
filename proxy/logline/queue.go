package logline

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// bound is how much may wait for the disk: at 400 bytes a
	// line, 2600 lines. What comes beyond is dropped and counted: a full disk
	// or a stuck pipe costs lines and not requests.
	bound = 1 << 20

	// linger is how long the writer lets lines gather, so that a burst
	// costs one write and not one for each line: a write costs as much as 40
	// lines. batch of them cut it short, while they are in the core's cache.
	linger = 100 * time.Millisecond
	batch  = 128 << 10

	// patience is how long Close waits for a writer that is stuck.
	patience = 5 * time.Second
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

// Queue is where lines wait to be written. Append never waits for I/O: it copies
// the line into a buffer, and one goroutine writes what has gathered. It may be
// called from any number of goroutines.
type Queue struct {
	w io.Writer

	mu     sync.Mutex
	fill   []byte // the lines that wait; swapped for an empty one to write them
	closed bool   // guarded by mu, as is fill

	torn bool // of the writer: what is there ends within a line

	wake chan struct{} // there are lines, or there are many, or it is over
	done chan struct{} // closed when the writer has returned
	lost [Losses]atomic.Uint64
}

// NewQueue starts the goroutine that writes whole lines to w; Close ends it. w is
// used by that goroutine alone, and closing it is the caller's. A Write that
// fails is not tried again.
func NewQueue(w io.Writer) *Queue {
	q := &Queue{
		w:    w,
		fill: make([]byte, 0, bound),
		wake: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	go q.write()
	return q
}

// Append copies line, which ends in a newline, to be written soon. It drops
// the line, and counts it, when the buffer is full or the queue is closed.
func (q *Queue) Append(line []byte) {
	if !q.Take(line) {
		q.Late()
	}
}

// Take is Append, but false, and nothing counted, if the queue is closed: there
// may be another in its place.
func (q *Queue) Take(line []byte) bool {
	q.mu.Lock()
	if q.closed || len(q.fill)+len(line) > bound {
		closed := q.closed
		q.mu.Unlock()
		if !closed {
			q.lost[LostFull].Add(1)
		}
		return !closed
	}
	before := len(q.fill)
	q.fill = append(q.fill, line...)
	after := len(q.fill)
	q.mu.Unlock()

	first := before == 0
	many := before < batch && after >= batch
	if first || many {
		q.signal()
	}
	return true
}

// Late counts a line that no queue takes.
func (q *Queue) Late() { q.lost[LostLate].Add(1) }

// Lost counts the lines that were never written, by why.
func (q *Queue) Lost(why Loss) uint64 { return q.lost[why].Load() }

// Close writes what has gathered and ends the goroutine. Lines that come
// later are dropped. A writer that is stuck is left behind after a while.
func (q *Queue) Close() error {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.signal()

	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-q.done:
		return nil
	case <-late.C:
		return errors.New("access log: its writer is stuck, the last lines are lost")
	}
}

// signal never waits: one signal that is not taken yet says enough.
func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// write is the goroutine: wait for a first line, let more gather, write them.
func (q *Queue) write() {
	defer close(q.done)
	empty := make([]byte, 0, bound)
	burst := time.NewTimer(linger)
	for closed := false; !closed; {
		<-q.wake
		if !q.many() {
			burst.Reset(linger)
			select {
			case <-burst.C:
			case <-q.wake: // many, or it is over
			}
		}
		empty, closed = q.flush(empty)
	}
}

// many tells whether there is nothing to wait for.
func (q *Queue) many() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || len(q.fill) >= batch
}

// flush puts empty in place of the buffer that gathers, writes that one, and
// gives it back emptied. Once closed was seen no line can come after it.
func (q *Queue) flush(empty []byte) (_ []byte, closed bool) {
	q.mu.Lock()
	full := q.fill
	q.fill = empty
	closed = q.closed
	q.mu.Unlock()

	if len(full) > 0 {
		q.put(full)
	}
	return full[:0], closed
}

var newline = []byte("\n")

// put writes lines. A disk that fills up takes a part of what it is given: the
// line it breaks off in is lost, and ended before the next one, when there is
// room again, so that no two ever become one.
func (q *Queue) put(lines []byte) {
	if q.torn {
		if _, err := q.w.Write(newline); err != nil {
			q.lost[LostFailed].Add(uint64(bytes.Count(lines, newline)))
			return
		}
		q.torn = false
	}
	n, err := q.w.Write(lines)
	if err == nil {
		return
	}
	n = max(0, min(n, len(lines)))
	q.torn = n > 0 && lines[n-1] != '\n'
	q.lost[LostFailed].Add(uint64(bytes.Count(lines[n:], newline)))
}
