package spawn

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// output is what a child writes. It is read for as long as the child lives,
// whatever becomes of it: a full pipe would stop the child.
type output struct {
	child *child
	pipes [2]struct{ r, w *os.File } // stdout, stderr
	work  sync.WaitGroup

	mu   sync.Mutex
	last []string // guarded by mu; of stderr, or else of stdout
	errs bool     // guarded by mu; last is of stderr
}

// stream is one of the two. Who floods one can still be heard on the other.
type stream struct {
	output  *output
	name    string
	second  time.Time // when the one began that lines are counted in
	lines   int       // in that second
	bytes   int
	dropped int // not told of yet
}

const (
	maxLine = 8 << 10 // bytes; what is longer is cut

	// What a child may write to each stream in a second. A line costs some 3 µs
	// here, so that one that floods takes about a hundredth of a core; more
	// would be of no use to who reads it.
	maxLines = 2000
	maxBytes = 1 << 20

	keptLines = 12 // for the report of its end: a stack's head and its tail
)

func newOutput(c *child) (*output, error) {
	o := &output{child: c}
	for i := range o.pipes {
		r, w, err := os.Pipe()
		if err != nil {
			o.discard()
			return nil, fmt.Errorf("pipe: %w", err)
		}
		o.pipes[i].r, o.pipes[i].w = r, w
	}
	return o, nil
}

func (o *output) discard() {
	for _, p := range o.pipes {
		_, _ = p.r.Close(), p.w.Close() // of nil, too
	}
}

// begin reads. The child has the other ends.
func (o *output) begin() {
	for i, name := range []string{"stdout", "stderr"} {
		_ = o.pipes[i].w.Close()
		o.work.Go(func() { (&stream{output: o, name: name}).copy(o.pipes[i].r) })
	}
}

// close ends reading. What is left in the pipes is read; whoever still holds
// their other ends is not waited for.
func (o *output) close() {
	for _, p := range o.pipes {
		_ = p.r.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	}
	o.work.Wait()
	for _, p := range o.pipes {
		_ = p.r.Close()
	}
}

func (s *stream) copy(r *os.File) {
	defer s.owe()
	in := bufio.NewReaderSize(r, maxLine)
	cut := false // the line's beginning was told already
	for {
		line, err := in.ReadSlice('\n')
		long := errors.Is(err, bufio.ErrBufferFull)
		if len(line) > 0 && !cut {
			s.tell(strings.TrimRight(string(line), "\r\n"), long)
		}
		if cut = long; err != nil && !long {
			return
		}
	}
}

// tell logs a line, unless there were too many.
func (s *stream) tell(line string, cut bool) {
	if now := time.Now(); now.Sub(s.second) >= time.Second {
		s.owe()
		s.second, s.lines, s.bytes = now, 0, 0
	}
	s.output.keep(line, s.name == "stderr")
	s.lines++
	s.bytes += len(line)
	a := s.output.child.app
	a.Stats.Lines.Add(1)
	if s.lines > maxLines || s.bytes > maxBytes {
		s.dropped++
		a.Stats.Dropped.Add(1)
		return
	}
	if cut {
		line += "…"
	}
	a.opt.Log.Info(line, "app", a.opt.Name, "instance", s.output.child.instance, "stream", s.name)
}

// owe tells of lines that were dropped.
func (s *stream) owe() {
	if s.dropped > 0 {
		a := s.output.child.app
		a.opt.Log.Warn("instance writes too much, lines were dropped", "app", a.opt.Name, "instance", s.output.child.instance,
			"stream", s.name, "dropped", s.dropped, "most", fmt.Sprintf("%d lines or %d bytes a second", maxLines, maxBytes))
		s.dropped = 0
	}
}

// keep notes the last lines: errors are written to stderr, if to anywhere.
func (o *output) keep(line string, err bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if strings.TrimSpace(line) == "" || o.errs && !err {
		return
	}
	if err && !o.errs {
		o.last, o.errs = nil, true
	}
	if len(o.last) == keptLines {
		o.last = append(o.last[:0], o.last[1:]...)
	}
	o.last = append(o.last, line)
}

var telling = regexp.MustCompile(`(?i)error|exception|panic|fatal|cannot|can't|unable|failed|denied|in use`)

// lastWords are the line that says best why a child ended, as the end of a
// sentence. Of a stack of calls that is hardly the last one.
func (o *output) lastWords() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.last) == 0 {
		return ""
	}
	line := o.last[len(o.last)-1]
	for _, l := range o.last {
		if telling.MatchString(l) {
			line = l
		}
	}
	if len(line) > 300 {
		line = strings.ToValidUTF8(line[:300], "") + "…"
	}
	return fmt.Sprintf("; its last words: %q", strings.TrimSpace(line))
}
