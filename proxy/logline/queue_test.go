package logline

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

func TestQueueWritesEveryLineInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		q := NewQueue(&out)
		var want strings.Builder
		for i := range 1000 {
			line := fmt.Sprintf("line %d\n", i)
			q.Append([]byte(line))
			want.WriteString(line)
			if i%100 == 0 {
				time.Sleep(linger / 3)
			}
		}
		if err := q.Close(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want.String() || dropped(q) != 0 {
			t.Fatalf("got %d bytes, want %d; dropped %d", out.Len(), want.Len(), dropped(q))
		}
	})
}

func TestQueueGathersABurstIntoOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		q := NewQueue(&out)
		for range 100 {
			q.Append([]byte("line\n"))
		}
		time.Sleep(2 * linger)
		synctest.Wait()
		if n := out.count(); n != 1 {
			t.Errorf("%d writes, want 1", n)
		}
		q.Close()
	})
}

func TestQueueCopiesTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		q := NewQueue(&out)
		line := []byte("mine\n")
		q.Append(line)
		copy(line, "XXXX")
		q.Close()
		if out.String() != "mine\n" {
			t.Errorf("wrote %q", out.String())
		}
	})
}

func TestQueueDropsAndCountsWhileItsWriterIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := writes{block: make(chan struct{})}
		q := NewQueue(&out)
		line := bytes.Repeat([]byte("x"), 1024)
		line[len(line)-1] = '\n'

		q.Append(line)
		time.Sleep(2 * linger) // this one is stuck in Write
		for range 2 * bound / len(line) {
			q.Append(line)
		}
		if got, want := dropped(q), uint64(bound/len(line)); got != want {
			t.Errorf("dropped %d, want %d: one buffer's worth is kept", got, want)
		}
		if err := q.Close(); err == nil {
			t.Error("Close of a stuck log said nothing")
		}
		close(out.block)
		<-q.done
		if got, want := out.size(), bound+len(line); got != want {
			t.Errorf("wrote %d bytes once unstuck, want %d", got, want)
		}
	})
}

func TestQueueCountsLinesItFailedToWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := writes{err: errors.New("no space left on device")}
		q := NewQueue(&out)
		q.Append([]byte("one\n"))
		q.Append([]byte("two\n"))
		q.Close()
		if dropped(q) != 2 {
			t.Errorf("dropped %d, want 2", dropped(q))
		}
	})
}

func TestQueueDropsAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		q := NewQueue(&out)
		q.Close()
		q.Append([]byte("late\n"))
		if dropped(q) != 1 || out.size() != 0 {
			t.Errorf("dropped %d, wrote %d bytes", dropped(q), out.size())
		}
	})
}

func TestQueueFromManyGoroutinesKeepsLinesWhole(t *testing.T) {
	var out bytes.Buffer
	q := NewQueue(&out)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			line := []byte(strings.Repeat(string(rune('a'+g)), 99) + "\n")
			for range 500 {
				q.Append(line)
			}
		})
	}
	wg.Wait()
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(out.String(), "\n")
	for _, line := range lines[:len(lines)-1] {
		if len(line) != 100 || strings.Trim(line, line[:1]) != "\n" {
			t.Fatalf("a line came torn: %q", line)
		}
	}
	if got := len(lines) - 1 + int(dropped(q)); got != 8*500 {
		t.Errorf("%d lines written or counted as dropped, want %d", got, 8*500)
	}
}

func dropped(q *Queue) (n uint64) {
	for why := range Losses {
		n += q.Lost(why)
	}
	return n
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
