package server

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"multiserver/cache"
	"multiserver/cache/key"
	"multiserver/cache/memory"
	"multiserver/cache/redis"
	"multiserver/cache/rule"
	"multiserver/proxy/config"
)

// makeCache builds the cache if there is to be one.
func (s *Server) makeCache(ctx context.Context) (err error) {
	c := &s.conf.Cache
	if c.Memory == 0 {
		return nil
	}
	t, err := cacheTerms(c)
	if err != nil {
		return err
	}
	o := cache.Options{
		Memory: memory.Options{Size: c.Memory, Files: c.Memory / 16},
		Rules:  t.Rules,
		Keys:   t.Keys,
		Filter: t.Filter,
		Vary:   t.Vary,
		Object: t.Object,
		Wait:   t.Wait,
		Grace:  t.Grace,
		File:   c.File,
		Clock:  s.guard.Unix,
		Heir:   s.sockets.handed.Heir,
		Log:    s.log,
	}
	if len(c.Redis.Addrs) > 0 {
		o.Redis = &redis.Options{
			URL:         redisURL(&c.Redis),
			Prefix:      c.Redis.Prefix + ":",
			ReadTimeout: c.Redis.Timeout,
			MarksKept:   marksKept,
			Log:         s.log,
		}
	}
	if s.cache, err = cache.New(ctx, o); err != nil {
		return fmt.Errorf("--cache: %w", err)
	}
	return nil
}

// cacheTerms are what routes may have of their own.
func cacheTerms(c *config.Cache) (t cache.Terms, err error) {
	t = cache.Terms{
		Rules: rule.Rules{
			Default:       c.TTL,
			RefuseCookies: c.NoCookies,
			Ignore:        c.IgnoreRequests,
			Targets:       []string{"cdn-cache-control"},
		},
		Keys:   key.Rules{DropQuery: c.DropQuery, SortQuery: c.SortQuery},
		Object: c.Object,
		Wait:   c.Wait,
		Grace:  c.Stale,
	}
	if t.Filter, err = patterns(c); err != nil {
		return t, err
	}
	var ok bool
	if t.Vary, ok = rule.AppendNames(nil, []byte(strings.Join(c.Vary, ","))); !ok {
		return t, fmt.Errorf("--cache-vary %s: too many names", strings.Join(c.Vary, ","))
	}
	return t, nil
}

// marksKept is how many purges a node may miss and still do singly; beyond it
// that node purges all. A night of purges by URL is to fit in: some 100 bytes
// each in Redis, read once at each start.
const marksKept = 1 << 14

func patterns(c *config.Cache) (f key.Filter, err error) {
	for _, list := range []struct {
		name  string
		words []string
		to    *[]key.Pattern
	}{{"cache-path", c.Paths, &f.Only}, {"cache-never", c.Never, &f.Never}} {
		for _, w := range list.words {
			if w == "/*" && list.name == "cache-path" && len(list.words) == 1 {
				break // everything: no need to look
			}
			p, err := key.ParsePattern(w)
			if err != nil {
				return f, fmt.Errorf("--%s: %w", list.name, err)
			}
			*list.to = append(*list.to, p)
		}
	}
	return f, nil
}

// redisURL is r as package cache/redis wants it.
func redisURL(r *config.Redis) string {
	u := url.URL{Scheme: "redis", Host: strings.Join(r.Addrs, ",")}
	if r.TLS {
		u.Scheme = "rediss"
	}
	if r.Mode != "" {
		u.Scheme += "-" + r.Mode
	}
	if r.User != "" || r.Password != "" {
		u.User = url.UserPassword(r.User, r.Password)
	}
	if r.DB != 0 {
		u.Path = "/" + strconv.Itoa(r.DB)
	}
	if r.Mode == "sentinel" {
		u.RawQuery = url.Values{"master": {r.Master}}.Encode()
	}
	return u.String()
}
