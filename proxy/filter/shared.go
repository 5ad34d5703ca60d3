package filter

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"multiserver/sync/link"
)

// Shared is what the filters of all nodes have in common.
type Shared struct {
	Link   *link.Link
	Prefix string // of all keys; no braces in it
}

// sharing are the options of a limit that all nodes keep together.
type sharing struct {
	Shared  bool          `yaml:"shared"`
	Away    string        `yaml:"on-error"`
	Timeout time.Duration `yaml:"timeout"`
}

var usualSharing = sharing{Away: "local", Timeout: 100 * time.Millisecond}

// MostAsked is the longest that a filter waits for Redis.
const MostAsked = time.Second

// shared counts in Redis, by its clock: nodes' own differ. One script looks and
// counts in one step, so nodes that ask at the same time get no more together
// than one would.
type shared struct {
	*Shared
	key     string
	timeout time.Duration
}

func newShared(o Options, said *sharing) (*shared, error) {
	switch said.Away {
	case "local", "open", "closed":
	default:
		return nil, fmt.Errorf("on-error %q: want local, each node counting for itself, open or closed", said.Away)
	}
	if said.Timeout < time.Millisecond || said.Timeout > MostAsked {
		return nil, fmt.Errorf("timeout %s: want 1ms to %s", said.Timeout, MostAsked)
	}
	if !said.Shared {
		return nil, nil
	}
	if o.Shared == nil {
		return nil, fmt.Errorf("shared: nodes meet in Redis, want --redis")
	}
	s, err := o.Shared()
	if err != nil || s == nil {
		return nil, err
	}
	return &shared{s, s.Prefix + "rate:" + o.Key + ":", said.Timeout}, nil
}

// gcra is times.take: KEYS who, ARGV each and window in µs. Times are since
// 2026, of which a double holds hundredths of a µs for a century.
var gcra = rueidis.NewLuaScript(`
local t = redis.call('TIME')
local now = (t[1] - 1767225600) * 1000000 + t[2]
local each, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local over = at + each - now - window
if over > 0.01 then return {0, math.ceil(over)} end
at = at + each
redis.call('SET', KEYS[1], string.format('%.2f', at), 'PX', math.ceil((at - now) / 1000))
return {math.floor((window - (at - now)) / each + 0.01), 0}
`)

// take is times.take. Not ok: Redis does not answer.
func (s *shared) take(who []byte, each, window time.Duration) (left int64, wait time.Duration, ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	sum := sha256.Sum256(who) // what a client says may be a secret
	key := s.key + hex.EncodeToString(sum[:16])
	args := []string{micros(each), micros(window)}
	res, err := s.Link.Ask(ctx, key, func(ctx context.Context, c rueidis.Client) rueidis.RedisResult {
		return gcra.Exec(ctx, c, []string{key}, args)
	})
	if err != nil {
		return 0, 0, false
	}
	both, err := res.AsIntSlice()
	if err != nil || len(both) != 2 {
		return 0, 0, false
	}
	return both[0], time.Duration(both[1]) * time.Microsecond, true
}

func micros(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Microsecond), 'f', 3, 64)
}
