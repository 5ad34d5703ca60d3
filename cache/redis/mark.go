package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"multiserver/sync/link/place"
)

// markScript numbers a mark and adds it. The number is Redis' time in ms, or
// one more than the last if that clock stands or goes back; ARGV[1] is the last
// that we know of, should Redis have forgotten. A name marked again moves up.
// The oldest above ARGV[3] go, and the number of the last of those is kept. An
// empty name is: all before now.
const markScript = `
local t = redis.call('TIME')
local seq = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local cut = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local top = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
seq = math.max(seq, tonumber(ARGV[1]) + 1, cut + 1, tonumber(top[2] or '0') + 1)
local number = string.format('%.0f', seq)
if ARGV[2] == '' then
	redis.call('DEL', KEYS[1])
	redis.call('SET', KEYS[2], number)
	return number
end
redis.call('ZADD', KEYS[1], number, ARGV[2])
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[3])
if over > 0 then
	local last = redis.call('ZRANGE', KEYS[1], over - 1, over - 1, 'WITHSCORES')
	redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)
	redis.call('SET', KEYS[2], string.format('%.0f', tonumber(last[2])))
end
return number`

// Mark makes a mark: one word for many records, such as a tag or a host that was
// purged. All nodes get it by Marked, this one too, maybe before Mark returns.
// seq grows with each mark, whoever made it, and does not depend on our clocks.
// An empty name is a mark for everything: Marked gets nil. The error is ErrAway,
// and then it is not known whether the mark was made.
//
// Redis acknowledges before its replicas have a mark: a failover can lose the
// last ones for nodes that did not hear of them in time.
func (r *Redis) Mark(ctx context.Context, name []byte) (seq uint64, err error) {
	l := r.link.Load()
	if l == nil || r.away(r.names.marks) {
		r.Stats.Away.Add(1)
		return 0, ErrAway
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	seq, err = r.addMark(ctx, l, string(name))
	if err != nil {
		r.Stats.Failures.Add(1)
		r.nudge()
		return 0, markError{err}
	}
	r.Stats.Marks.Add(1)
	return seq, nil
}

// markError is an ErrAway that says more: there is time to read it.
type markError struct{ error }

func (e markError) Error() string        { return "redis: mark: " + e.error.Error() }
func (e markError) Is(target error) bool { return target == ErrAway }

func (r *Redis) addMark(ctx context.Context, l *link, name string) (uint64, error) {
	last := strconv.FormatUint(r.last.Load(), 10)
	number, err := l.Do(ctx, l.B().Eval().Script(markScript).Numkeys(2).Key(r.names.marks, r.names.cut).
		Arg(last, name, strconv.Itoa(r.opt.MarksKept)).Build()).ToString()
	if err != nil {
		return 0, err
	}
	if !l.tracking {
		if err := l.Do(ctx, r.news(l, r.names.marks)).Error(); err != nil {
			return 0, err
		}
	}
	r.nudge()
	return strconv.ParseUint(number, 10, 64)
}

// readMarks tells of the marks that came since the last time.
func (r *Redis) readMarks(l *link) error {
	ctx, cancel := context.WithTimeout(r.ctx, place.AnswerWithin)
	defer cancel()
	seen := r.seen
	// First the marks: those that are trimmed between are told by the cut.
	res := l.DoMulti(ctx,
		l.B().Zrangebyscore().Key(r.names.marks).Min("("+strconv.FormatUint(seen, 10)).Max("+inf").Withscores().Build(),
		l.B().Get().Key(r.names.cut).Build())
	marks, err := res[0].AsZScores()
	if err != nil {
		return err
	}
	cut, err := res[1].AsUint64()
	if err != nil && !rueidis.IsRedisNil(err) {
		return err
	}
	if cut > seen {
		r.tell(nil, cut)
	}
	for _, m := range marks {
		r.tell([]byte(m.Member), uint64(m.Score))
	}
	return nil
}

func (r *Redis) tell(name []byte, seq uint64) {
	r.Stats.MarksSeen.Add(1)
	if r.opt.Marked != nil {
		r.opt.Marked(name, seq)
	}
	r.seen = max(r.seen, seq)
	r.last.Store(max(r.last.Load(), seq))
}
