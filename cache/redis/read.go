package redis

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// Find appends the record under key to dst. The error is ErrMiss or ErrAway,
// and then dst is as it was. It waits for ReadTimeout at most, and not at all
// while Redis is known to be away. See Pulse before storing what it gave.
func (r *Redis) Find(dst, key []byte) ([]byte, error) {
	l := r.link.Load()
	if l == nil || r.shut() { // fast path: while Redis is away this is all that a miss costs
		r.Stats.Away.Add(1)
		return dst, ErrAway
	}
	name := r.names.record(key)
	if r.queue.dropping(name) || r.owed.has(name) {
		r.Stats.Misses.Add(1)
		return dst, ErrMiss
	}
	res, err := r.ask(l, l.B().Get().Key(name).Build(), name)
	if err != nil {
		return dst, ErrAway
	}
	value, err := res.AsBytes()
	if err == nil && len(value) == 0 { // what a drop leaves for a moment
		err = rueidis.Nil
	}
	if err == nil {
		dst, err = unpack(dst, value, name, r.opt.Version)
	}
	switch {
	case err == nil:
		r.Stats.Hits.Add(1)
		return dst, nil
	case err == errForeign:
		r.Stats.Foreign.Add(1)
	case !rueidis.IsRedisNil(err): // damaged, or no string at all
		r.Stats.Corrupt.Add(1)
	}
	r.Stats.Misses.Add(1)
	return dst, ErrMiss
}

// A Lease is the right to fetch what belongs under a key, for all nodes. The
// zero Lease is nobody's; to release it does nothing.
type Lease struct{ name, token string }

// Lease asks for the lease of key, which ends by itself after d. The error is
// ErrTaken or ErrAway; it waits as Find does.
func (r *Redis) Lease(key []byte, d time.Duration) (Lease, error) {
	l := r.link.Load()
	if l == nil {
		r.Stats.Away.Add(1)
		return Lease{}, ErrAway
	}
	lease := Lease{r.names.lease(key), r.node + strconv.FormatUint(r.leaseSeq.Add(1), 36)}
	cmd := l.B().Set().Key(lease.name).Value(lease.token).Nx().PxMilliseconds(max(1, d.Milliseconds())).Build()
	res, err := r.ask(l, cmd, lease.name)
	if err == errLate {
		r.Release(lease) // it may come to be ours yet, after we have gone
	}
	if err != nil {
		return Lease{}, ErrAway
	}
	if rueidis.IsRedisNil(res.Error()) {
		r.Stats.LeasesTaken.Add(1)
		return Lease{}, ErrTaken
	}
	r.Stats.Leases.Add(1)
	return lease, nil
}

// errLate is an ErrAway of which it is not known whether it was done.
var errLate = errors.New("redis: no answer in time")

// ask runs a command unless the breaker is open, and tells it how that went. A
// nil answer is none of Redis' failures.
func (r *Redis) ask(l *link, cmd rueidis.Completed, name string) (rueidis.RedisResult, error) {
	b := r.breaker(cmd.Slot())
	if b.open.Load() {
		r.Stats.Away.Add(1)
		return rueidis.RedisResult{}, ErrAway
	}
	res, err := r.await(l, cmd)
	switch {
	case err == nil:
		b.good()
	case err == errBusy:
		return res, ErrAway
	case b.fail(name):
		r.Stats.BreakerOpen.Add(1)
		r.nudge()
	}
	return res, err
}

// maxInflight is less than what fits into the client's ring for a connection,
// 1024: in a full ring a command waits, and nothing bounds that.
const maxInflight = 512

// A call is a command under way. The client's own deadlines do not cover all
// its waits, such as that for somebody else's dial, so the command runs in a
// goroutine, and who asked leaves it when time is up. That costs about 1 µs.
type call struct {
	done  chan rueidis.RedisResult // for one, so that who comes late does not wait
	timer *time.Timer
}

var calls = sync.Pool{New: func() any {
	c := &call{make(chan rueidis.RedisResult, 1), time.NewTimer(time.Hour)}
	c.timer.Stop()
	return c
}}

var errBusy = errors.New("redis: too many wait already")

// await runs a command for at most ReadTimeout.
func (r *Redis) await(l *link, cmd rueidis.Completed) (rueidis.RedisResult, error) {
	if r.inflight.Add(1) > maxInflight || r.stopping.Load() {
		r.inflight.Add(-1)
		r.Stats.Busy.Add(1)
		return rueidis.RedisResult{}, errBusy
	}
	c := calls.Get().(*call)
	c.timer.Reset(r.opt.ReadTimeout)
	go r.run(l, cmd, c.done)
	select {
	case res := <-c.done:
		c.timer.Stop()
		calls.Put(c)
		if err := res.Error(); err != nil && !ofKey(err) {
			r.Stats.Failures.Add(1)
			return res, ErrAway
		}
		return res, nil
	case <-c.timer.C: // run has c.done for itself from now on
		r.Stats.Timeouts.Add(1)
		return rueidis.RedisResult{}, errLate
	}
}

// ofKey tells errors that speak of a key from those that speak of the server.
func ofKey(err error) bool {
	return rueidis.IsRedisNil(err) || strings.HasPrefix(err.Error(), "WRONGTYPE")
}

func (r *Redis) run(l *link, cmd rueidis.Completed, done chan<- rueidis.RedisResult) {
	done <- l.Do(r.ctx, cmd)
	r.inflight.Add(-1)
}
