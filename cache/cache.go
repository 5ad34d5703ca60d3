package cache

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"multiserver/cache/key"
	"multiserver/cache/memory"
	"multiserver/cache/purge"
	"multiserver/cache/redis"
	"multiserver/cache/rule"
)

// Options are fixed for the life of a Cache. A part of them are Terms, which
// other views of it have others of.
type Options struct {
	Memory memory.Options
	Redis  *redis.Options // nil: memory alone

	Rules  rule.Rules
	Keys   key.Rules
	Filter key.Filter
	Vary   []byte // names that every answer varies by, as rule.AppendNames gives them

	Object    int64         // bytes of a body that are stored
	Wait      time.Duration // for another's fetch of the same
	Grace     time.Duration // past its freshness an answer is used when no upstream answers, where it does not say itself
	Refreshes int           // at once, behind answers already given; beyond it none is made
	File      string        // where Save keeps memory and marks, and New finds them; "": nowhere
	Heir      bool          // of a process that HandOn was called in; its Send is Followed
	Clock     func() int64  // Unix ms; nil: the system's
	Log       *slog.Logger
}

// Cache keeps answers and finds them again. It is used by any number of
// goroutines.
type Cache struct {
	*common
	by Terms
}

// common is what all views of a Cache have in common.
type common struct {
	opt       Options
	mem       *memory.Memory
	far       *redis.Redis // nil: none
	marks     purge.Table
	owed      owed
	kept      bool // there are marks in File that this process has begun with
	inherited bool // memory was another process's
	trail     atomic.Pointer[Trail]
	flights   flights
	changes   changes
	behind    chan struct{} // a place for each refresh under way
	spellings atomic.Pointer[[]spelling]

	Stats Stats
}

// New returns an empty Cache. The error names what of the options cannot be;
// that Redis does not answer is none.
func New(ctx context.Context, o Options) (c *Cache, err error) {
	if o.Clock == nil {
		o.Clock = func() int64 { return time.Now().UnixMilli() }
	}
	if o.Refreshes == 0 {
		o.Refreshes = 64
	}
	c = &Cache{&common{opt: o, behind: make(chan struct{}, o.Refreshes)}, Terms{
		Rules: o.Rules, Keys: o.Keys, Filter: o.Filter, Vary: o.Vary, Object: o.Object, Wait: o.Wait, Grace: o.Grace,
	}}
	c.Know(nil)
	if c.mem, err = memory.New(o.Memory); err != nil {
		return nil, err
	}
	if c.opt.Log == nil {
		c.opt.Log = slog.Default()
	}
	loaded := c.load() // nobody else uses memory yet
	if o.Redis != nil {
		far := *o.Redis
		far.Version, far.Changed, far.Marked = format, c.changed, c.marked
		if c.far, err = redis.Open(ctx, far); err != nil {
			return nil, err
		}
	}
	if loaded && c.far != nil {
		c.awaitRedis(ctx)
	}
	return c, nil
}

// Close lets go of the second tier, once what waits to be written there is, or
// a moment later. Nothing may use the Cache any more.
func (c *Cache) Close() {
	c.owed.close(c.opt.Log)
	if c.far != nil {
		c.far.Close()
	}
}

// Memory is the first tier, for its figures and for saving it.
func (c *Cache) Memory() *memory.Memory { return c.mem }

// Redis is the second tier, nil if there is none.
func (c *Cache) Redis() *redis.Redis { return c.far }

// newID names a body's chunks, or a generation of variants.
func newID() uint64 { return rand.Uint64() | 1 }
