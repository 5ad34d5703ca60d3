package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogWritesEveryLineInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := NewLog(&out, LogForm{})
		var want strings.Builder
		for i := range 1000 {
			line := fmt.Sprintf("line %d\n", i)
			l.Append([]byte(line))
			want.WriteString(line)
			if i%100 == 0 {
				time.Sleep(logLinger / 3)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want.String() || l.Dropped() != 0 {
			t.Fatalf("got %d bytes, want %d; dropped %d", out.Len(), want.Len(), l.Dropped())
		}
	})
}

func TestLogGathersABurstIntoOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		l := NewLog(&out, LogForm{})
		for range 100 {
			l.Append([]byte("line\n"))
		}
		time.Sleep(2 * logLinger)
		synctest.Wait()
		if n := out.count(); n != 1 {
			t.Errorf("%d writes, want 1", n)
		}
		l.Close()
	})
}

func TestLogCopiesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := NewLog(&out, LogForm{})
		line := []byte("mine\n")
		l.Append(line)
		copy(line, "XXXX")
		l.Close()
		if out.String() != "mine\n" {
			t.Errorf("wrote %q", out.String())
		}
	})
}

func TestLogDropsAndCountsWhileItsWriterIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := writes{block: make(chan struct{})}
		l := NewLog(&out, LogForm{})
		line := bytes.Repeat([]byte("x"), 1024)
		line[len(line)-1] = '\n'

		l.Append(line)
		time.Sleep(2 * logLinger) // this one is stuck in Write
		for range 2 * logBound / len(line) {
			l.Append(line)
		}
		if got, want := l.Dropped(), uint64(logBound/len(line)); got != want {
			t.Errorf("dropped %d, want %d: one buffer's worth is kept", got, want)
		}
		if err := l.Close(); err == nil {
			t.Error("Close of a stuck log said nothing")
		}
		close(out.block)
		<-l.done
		if got, want := out.size(), logBound+len(line); got != want {
			t.Errorf("wrote %d bytes once unstuck, want %d", got, want)
		}
	})
}

func TestLogCountsLinesItFailedToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := writes{err: errors.New("no space left on device")}
		l := NewLog(&out, LogForm{})
		l.Append([]byte("one\n"))
		l.Append([]byte("two\n"))
		l.Close()
		if l.Dropped() != 2 {
			t.Errorf("dropped %d, want 2", l.Dropped())
		}
	})
}

func TestLogDropsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		l := NewLog(&out, LogForm{})
		l.Close()
		l.Append([]byte("late\n"))
		if l.Dropped() != 1 || out.size() != 0 {
			t.Errorf("dropped %d, wrote %d bytes", l.Dropped(), out.size())
		}
	})
}

func TestLogFromManyGoroutinesKeepsLinesWhole(t *testing.T) {
	var out bytes.Buffer
	l := NewLog(&out, LogForm{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			line := []byte(strings.Repeat(string(rune('a'+g)), 99) + "\n")
			for range 500 {
				l.Append(line)
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(out.String(), "\n")
	for _, line := range lines[:len(lines)-1] {
		if len(line) != 100 || strings.Trim(line, line[:1]) != "\n" {
			t.Fatalf("a line came torn: %q", line)
		}
	}
	if got := len(lines) - 1 + int(l.Dropped()); got != 8*500 {
		t.Errorf("%d lines written or counted as dropped, want %d", got, 8*500)
	}
}

// writes counts what it is given; block, if any, holds every Write back.
type writes struct {
	mu    sync.Mutex
	calls int
	bytes int
	block chan struct{}
	err   error
}

func (w *writes) Write(p []byte) (int, error) {
	if w.block != nil {
		<-w.block
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls++
	w.bytes += len(p)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

func (w *writes) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

func (w *writes) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bytes
}
