package server

import (
	"multiserver/cache"
	"multiserver/cache/purge"
	"multiserver/cache/redis"
	"multiserver/proxy/admin"
)

// cacheMetrics renders what the cache and its tiers count.
func cacheMetrics(m *admin.Metrics, c *cache.Cache) {
	st := &c.Stats
	for t := cache.Memory; t < cache.Tiers; t++ {
		m.Counter("multiserver_cache_hits_total",
			"Requests answered with what was stored, by where from: a tier that had it fresh, either when it was stale, or confirmed by an upstream, which is a miss as well.",
			st.Hits[t].Load(), "tier", t.String())
	}
	for r := cache.ByRemembered; r < cache.Reasons; r++ {
		m.Counter("multiserver_cache_misses_total", "Requests looked up and forwarded, by why.", st.Misses[r].Load(), "reason", r.String())
	}
	for r := cache.ByMethod; r < cache.ByRemembered; r++ {
		m.Counter("multiserver_cache_passes_total", "Requests forwarded without a look, by why.", st.Passes[r].Load(), "reason", r.String())
	}
	for _, f := range []struct {
		name, help string
		n          uint64
	}{
		{"stored", "Answers stored.", st.Stored.Load()},
		{"unshared", "Answers to requests looked up that may not be stored.", st.Unshared.Load()},
		{"too_long", "Answers not stored because of their length.", st.Long.Load()},
		{"collapsed", "Requests answered by the fetch of another.", st.Collapsed.Load()},
		{"lone", "Requests that waited for the fetch of another in vain, and went alone.", st.Lone.Load()},
		{"refreshed", "Fetches behind answers already given.", st.Refreshed.Load()},
		{"dropped", "URLs dropped because a request changed them.", st.Dropped.Load()},
		{"corrupt", "Records found that were none.", st.Corrupt.Load()},
		{"torn", "Bodies found of which a piece was gone.", st.Torn.Load()},
	} {
		m.Counter("multiserver_cache_"+f.name+"_total", f.help, f.n)
	}
	for k := purge.All; k < purge.Kinds; k++ {
		m.Counter("multiserver_cache_purges_total", "Purges made at this node, by what they name.", st.Purges[k].Load(), "kind", k.String())
	}
	marks := c.Marks()
	m.Gauge("multiserver_cache_purge_marks", "Purges that are told apart.", float64(marks.Marks))
	m.Counter("multiserver_cache_purge_marks_folded_total", "Purges that were too many: all that was as old is purged.", marks.Folded)
	m.Gauge("multiserver_cache_purges_owed", "Purges that Redis, and so the other nodes, have yet to be told of.", float64(c.Owed()))
	memoryMetrics(m, c)
	if r := c.Redis(); r != nil {
		redisMetrics(m, r)
	}
}

func memoryMetrics(m *admin.Metrics, c *cache.Cache) {
	st := c.Memory().Stats()
	m.Gauge("multiserver_cache_memory_entries", "Records and pieces of bodies in memory, some of them written over.", float64(st.Entries))
	m.Gauge("multiserver_cache_memory_bytes", "Bytes of memory in use for them.", float64(st.Bytes))
	m.Gauge("multiserver_cache_memory_capacity_bytes", "Bytes there are for them.", float64(st.Capacity))
	for _, f := range []struct {
		result string
		n      uint64
	}{{"hit", st.Hits}, {"miss", st.Misses}} {
		m.Counter("multiserver_cache_memory_finds_total", "Looks into memory for a record or a piece.", f.n, "result", f.result)
	}
	m.Counter("multiserver_cache_memory_renewals_total", "Records that would have been forgotten soon, and were kept for being hit.", st.Renewals)
	m.Counter("multiserver_cache_memory_refused_total", "Records not kept because memory is full and they were not asked for twice.", st.Refused)
	m.Counter("multiserver_cache_memory_corrupt_total", "Misses because of a sum that did not agree.", st.Corrupt)
	m.Counter("multiserver_cache_memory_collisions_total", "Misses because of another key's record.", st.Collisions)
}

// counted is the family that a count of package cache/redis is a sample of.
type counted struct{ family, label, value string }

var redisFamilies = map[string]string{
	"finds":     "Look-ups in Redis.",
	"values":    "Values found in Redis that were of no use.",
	"puts":      "Records for Redis, written or dropped.",
	"put_bytes": "Bytes of records written.",
	"drops":     "Records dropped in Redis, at once or later.",
	"leases":    "Leases of fetches asked for.",
	"releases":  "Leases given back.",
	"news":      "News of other nodes' changes: of a key, or that some may have been missed.",
	"marks":     "Purges made here, and heard of.",
	"links":     "Connections to Redis, and what became of them.",
	"events":    "All else that was counted of Redis.",
}

var redisCounts = map[string]counted{
	"hits":          {"finds", "result", "hit"},
	"misses":        {"finds", "result", "miss"},
	"timeouts":      {"finds", "result", "timeout"},
	"failures":      {"finds", "result", "failure"},
	"away":          {"finds", "result", "away"},
	"busy":          {"finds", "result", "busy"},
	"corrupt":       {"values", "reason", "corrupt"},
	"foreign":       {"values", "reason", "foreign"},
	"puts":          {"puts", "result", "written"},
	"put_full":      {"puts", "result", "queue-full"},
	"put_away":      {"puts", "result", "away"},
	"put_large":     {"puts", "result", "too-long"},
	"put_failed":    {"puts", "result", "failed"},
	"put_stale":     {"puts", "result", "overtaken"},
	"put_bytes":     {"put_bytes", "", ""},
	"drops":         {"drops", "result", "done"},
	"owed":          {"drops", "result", "owed"},
	"paid":          {"drops", "result", "paid"},
	"resets":        {"drops", "result", "reset"},
	"leases":        {"leases", "result", "won"},
	"leases_taken":  {"leases", "result", "taken"},
	"releases":      {"releases", "result", "sent"},
	"releases_lost": {"releases", "result", "lost"},
	"pushes":        {"news", "kind", "key"},
	"flushes":       {"news", "kind", "everything"},
	"marks":         {"marks", "kind", "made"},
	"marks_seen":    {"marks", "kind", "seen"},
	"dials":         {"links", "event", "dialed"},
	"link_lost":     {"links", "event", "lost"},
	"breaker_open":  {"links", "event", "given-up"},
	"linkups":       {"links", "event", "up"},
}

func redisMetrics(m *admin.Metrics, r *redis.Redis) {
	m.Gauge("multiserver_cache_redis_up", "Whether Redis answers, and news of other nodes' changes come.", flag(r.Up()))
	r.Stats.Each(func(name string, n uint64) {
		c, known := redisCounts[name]
		if !known {
			c = counted{"events", "event", name}
		}
		var labels []string
		if c.label != "" {
			labels = []string{c.label, c.value}
		}
		m.Counter("multiserver_cache_redis_"+c.family+"_total", redisFamilies[c.family], n, labels...)
	})
}
