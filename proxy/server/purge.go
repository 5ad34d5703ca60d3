package server

import (
	"context"

	"multiserver/cache"
	"multiserver/cache/redis"
	"multiserver/proxy/admin"
)

// What the admin pages and a stop ask of the cache.

// purge does the orders that come by admin; nil without a cache.
func (s *Server) purge() func(context.Context, admin.Order) (any, bool, error) {
	if s.cache == nil {
		return nil
	}
	return func(ctx context.Context, o admin.Order) (any, bool, error) {
		done, err := s.cache.Order(ctx, (*cache.Order)(&o))
		if err != nil {
			return nil, false, err
		}
		s.log.Info("purge", "client", "admin", "what", done.What, "names", done.Names, "soft", done.Soft, "nodes", string(done.Nodes))
		return done, done.Nodes == cache.Pending, nil
	}
}

// saveCache keeps the cache for the next start.
func (s *Server) saveCache() {
	if err := s.cache.Save(); err != nil {
		s.log.Error("the cache is not kept, the next start begins empty", "file", s.conf.Cache.File, "cause", err)
	}
}

// figures is what GET /cache says. Names and units are stable.
type figures struct {
	Ratio  float64           `json:"hit_ratio"` // of what was looked up; what an upstream confirmed is no hit
	Hits   map[string]uint64 `json:"hits"`
	Misses map[string]uint64 `json:"misses"`
	Passes map[string]uint64 `json:"passes"`
	Stored uint64            `json:"stored"`
	Memory memoryFigures     `json:"memory"`
	Purges purgeFigures      `json:"purges"`
	Redis  *redisFigures     `json:"redis"` // null: there is none
}

type memoryFigures struct {
	Entries  uint64 `json:"entries"`
	Bytes    uint64 `json:"bytes"`
	Capacity uint64 `json:"capacity_bytes"`
}

type purgeFigures struct {
	Marks int `json:"marks"`
	Owed  int `json:"owed"` // that Redis has yet to be told of
}

type redisFigures struct {
	Up     bool              `json:"up"`
	Counts map[string]uint64 `json:"counts"`
}

func (s *Server) figures() func() any {
	if s.cache == nil {
		return nil
	}
	return func() any { return figuresOf(s.cache) }
}

func figuresOf(c *cache.Cache) figures {
	f := figures{Hits: map[string]uint64{}, Misses: map[string]uint64{}, Passes: map[string]uint64{}, Stored: c.Stats.Stored.Load()}
	for t := cache.Memory; t < cache.Tiers; t++ {
		f.Hits[t.String()] = c.Stats.Hits[t].Load()
	}
	misses := uint64(0)
	for r := cache.Reason(1); r < cache.Reasons; r++ {
		f.Misses[r.String()], f.Passes[r.String()] = c.Stats.Misses[r].Load(), c.Stats.Passes[r].Load()
		misses += f.Misses[r.String()]
	}
	if hits := f.Hits["memory"] + f.Hits["redis"] + f.Hits["stale"]; hits > 0 {
		f.Ratio = float64(hits) / float64(hits+misses)
	}
	m := c.Memory().Stats()
	f.Memory = memoryFigures{m.Entries, m.Bytes, m.Capacity}
	f.Purges = purgeFigures{c.Marks().Marks, c.Owed()}
	f.Redis = redisFiguresOf(c.Redis())
	return f
}

func redisFiguresOf(r *redis.Redis) *redisFigures {
	if r == nil {
		return nil
	}
	f := &redisFigures{r.Up(), map[string]uint64{}}
	r.Stats.Each(func(name string, n uint64) { f.Counts[name] = n })
	return f
}
