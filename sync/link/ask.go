package link

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// maxInflight is less than what fits into the client's ring for a connection,
// 1024: in a full ring a command waits, and nothing bounds that.
const maxInflight = 512

// A call is a question under way. The client's own deadlines do not cover all
// its waits, such as that for somebody else's dial, so it runs in a goroutine,
// and who asked leaves it when time is up.
type call struct {
	done  chan rueidis.RedisResult // for one, so that who comes late does not wait
	timer *time.Timer
}

var calls = sync.Pool{New: func() any {
	c := &call{make(chan rueidis.RedisResult, 1), time.NewTimer(time.Hour)}
	c.timer.Stop()
	return c
}}

// Ask runs f, which sends a command about key, for Timeout at most, or as long
// as ctx lasts. f may go on when Ask has returned: it must not touch what was
// borrowed. The error is ErrAway or nil; an answer of Redis that is an error of
// the command or the script, or nil, is in the result.
func (l *Link) Ask(ctx context.Context, key string, f func(ctx context.Context, c rueidis.Client) rueidis.RedisResult) (rueidis.RedisResult, error) {
	c := l.Client()
	if c == nil {
		l.Stats.Away.Add(1)
		return rueidis.RedisResult{}, ErrAway
	}
	b := l.breaker(c, key)
	if b.open.Load() { // fast path: while Redis is away this is all that it costs
		l.Stats.Away.Add(1)
		return rueidis.RedisResult{}, ErrAway
	}
	res, err := l.await(ctx, c, f)
	switch {
	case err == nil:
		b.good()
	case err == ErrAway && b.fail(key):
		l.Stats.BreakerOpen.Add(1)
		l.nudge()
	case err == errBusy || err == errLeft:
		err = ErrAway
	}
	return res, err
}

// await asks; whatever comes back as an error is none of Redis' answers.
func (l *Link) await(ctx context.Context, c rueidis.Client, f func(context.Context, rueidis.Client) rueidis.RedisResult) (rueidis.RedisResult, error) {
	if l.inflight.Add(1) > maxInflight || l.ctx.Err() != nil {
		l.inflight.Add(-1)
		l.Stats.Busy.Add(1)
		return rueidis.RedisResult{}, errBusy
	}
	l.Stats.Asks.Add(1)
	w := calls.Get().(*call)
	w.timer.Reset(l.opt.Timeout)
	go l.run(c, f, w.done)
	select {
	case res := <-w.done:
		w.timer.Stop()
		calls.Put(w)
		if err := res.Error(); err != nil && !answered(err) {
			l.Stats.Failures.Add(1)
			return res, ErrAway
		}
		return res, nil
	case <-w.timer.C: // run has w.done for itself from now on
		l.Stats.Timeouts.Add(1)
		return rueidis.RedisResult{}, ErrAway
	case <-ctx.Done():
		return rueidis.RedisResult{}, l.left(ctx)
	}
}

func (l *Link) run(c rueidis.Client, f func(context.Context, rueidis.Client) rueidis.RedisResult, done chan<- rueidis.RedisResult) {
	ctx, cancel := context.WithTimeout(l.ctx, l.opt.Timeout)
	defer cancel()
	res := f(ctx, c)
	l.inflight.Add(-1)
	done <- res
}

// left tells a deadline, which speaks of the server, from a client that went.
func (l *Link) left(ctx context.Context) error {
	if ctx.Err() == context.DeadlineExceeded {
		l.Stats.Timeouts.Add(1)
		return ErrAway
	}
	return errLeft
}

// answered tells errors that a healthy server gives for a command from those
// that speak of the server or of the connection.
func answered(err error) bool {
	if rueidis.IsRedisNil(err) {
		return true
	}
	e, ok := rueidis.IsRedisErr(err)
	if !ok {
		return false
	}
	switch word(e.Error()) {
	case "LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "MOVED", "ASK", "NOREPLICAS", "NOAUTH", "NOPERM", "OOM", "MISCONF", "BUSY":
		return false
	}
	return true
}
