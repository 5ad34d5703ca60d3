package redis

import (
	"context"
	"errors"
	"strconv"

	"github.com/redis/rueidis"
)

// write is the goroutine that empties the queue.
func (r *Redis) write() {
	var batch []op
	for {
		if batch = r.queue.take(batch[:0]); len(batch) > 0 {
			r.send(batch)
			clear(batch)
			continue
		}
		select {
		case <-r.queue.more:
		case <-r.closing:
			if batch = r.queue.take(batch[:0]); len(batch) == 0 {
				return
			}
			r.send(batch)
		}
	}
}

var errNoLink = errors.New("no link")

// Scripts. A drop leaves a trace for a moment if there was no record: nothing
// changes in Redis if nothing is deleted, and nobody would be told.
const (
	dropScript = `if redis.call('DEL',KEYS[1])==0 then redis.call('SET',KEYS[1],'','PX',1) end return 1`
	keepScript = `if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('PEXPIRE',KEYS[1],ARGV[2]) end return 0`
	freeScript = `if redis.call('GET',KEYS[1])==ARGV[1] then return redis.call('DEL',KEYS[1]) end return 0`
)

func (r *Redis) command(l *link, o *op) rueidis.Completed {
	switch o.does {
	case put:
		return l.B().Set().Key(o.name).Value(rueidis.BinaryString(o.value)).PxMilliseconds(o.ttl.Milliseconds()).Build()
	case drop:
		return l.B().Eval().Script(dropScript).Numkeys(1).Key(o.name).Build()
	case renew:
		return l.B().Eval().Script(keepScript).Numkeys(1).Key(o.name).Arg(o.token, strconv.FormatInt(o.ttl.Milliseconds(), 10)).Build()
	default:
		return l.B().Eval().Script(freeScript).Numkeys(1).Key(o.name).Arg(o.token).Build()
	}
}

// send writes a batch and sees to what comes of it.
func (r *Redis) send(batch []op) {
	defer r.queue.lately.end(batch)
	l := r.link.Load()
	if l == nil {
		for i := range batch {
			r.sent(&batch[i], errNoLink)
		}
		return
	}
	for i, err := range r.do(r.ctx, l, batch) {
		r.sent(&batch[i], err)
	}
}

// do runs a batch and gives what became of each, in order.
func (r *Redis) do(ctx context.Context, l *link, batch []op) []error {
	cmds := make(rueidis.Commands, 0, batchOps)
	for i := range batch {
		cmds = append(cmds, r.command(l, &batch[i]))
	}
	errs := make([]error, len(batch))
	for i, res := range l.DoMulti(ctx, cmds...) {
		errs[i] = res.Error()
	}
	if !l.tracking {
		r.publish(ctx, l, batch, errs)
	}
	return errs
}

// sent counts, and wakes those here who wait for the key: to the writer itself
// Redis does not tell what it wrote.
func (r *Redis) sent(o *op, err error) {
	if key, _, ok := r.names.key(o.name); ok {
		defer r.watchers.wake(key)
	}
	if err != nil {
		r.nudge()
	}
	if o.does == drop { // in this order: until it is owed it is dropping
		defer r.queue.dropped(o.name)
	}
	switch {
	case o.does == renew:
	case o.does == put && err == nil:
		r.Stats.Puts.Add(1)
		r.Stats.PutBytes.Add(uint64(len(o.value)))
	case o.does == put:
		r.Stats.PutFailed.Add(1)
	case o.paid != nil:
		o.paid <- payment{o.name, err}
	case o.does == drop && err == nil:
		r.Stats.Drops.Add(1)
	case o.does == drop:
		r.owe(o.name)
	case err == nil:
		r.Stats.Releases.Add(1)
	default:
		r.Stats.ReleasesLost.Add(1)
	}
}
