//go:build linux

package steady

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Load is what to ask, when and whom.
type Load struct {
	Addr    string
	Pace    *Pace
	Conns   int           // at most; requests that find none free wait, and that counts
	Limit   time.Duration // for an answer, once asked
	Request []byte
	Seen    func(*Answer) // called by many goroutines at once
}

// Answer is how one request ended.
type Answer struct {
	Due   time.Duration // from the load's start
	Took  time.Duration // from when it was due, not from when it was sent
	Err   error         // ErrUnsent, or of the connection
	*Conn               // whose Res is the answer, if Err is nil
}

// ErrUnsent is the end of a request that was due, but for which there was no
// connection until the load was over. Took is how long it had waited.
var ErrUnsent = errors.New("no connection became free")

// grace is how late the last requests may be sent: their time was before the end.
const grace = 100 * time.Millisecond

// Run asks until the pace ends, and returns when all is answered. Requests
// that are then still waiting for a connection are not sent any more.
func (l *Load) Run(ctx context.Context) error {
	t, err := NewTimer()
	if err != nil {
		return err
	}
	defer t.Close()
	var (
		due   = make(chan time.Duration, 1<<16)
		began = time.Now()
		end   = began.Add(l.Pace.Length())
		wg    sync.WaitGroup
	)
	for range l.Conns {
		wg.Go(func() { l.work(ctx, due, began, end) })
	}
	defer wg.Wait()
	defer close(due)
	for {
		at, more := l.Pace.Next()
		if !more || ctx.Err() != nil {
			return ctx.Err()
		}
		if err := t.Sleep(at - time.Since(began)); err != nil {
			return err
		}
		due <- at
	}
}

// work is one connection's life.
func (l *Load) work(ctx context.Context, due <-chan time.Duration, began, end time.Time) {
	c := &Conn{Addr: l.Addr, Limit: l.Limit}
	defer c.Close()
	for at := range due {
		a := &Answer{Due: at, Conn: c, Err: ErrUnsent}
		if ctx.Err() == nil && time.Now().Before(end.Add(grace)) {
			a.Err = c.Ask(l.Request)
		}
		a.Took = time.Since(began) - at
		l.Seen(a)
	}
}
