package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"multiserver/cache"
	"multiserver/proxy/config"
	"multiserver/proxy/route"
)

// keeping is what a view of the cache is made of. Most routes have the Config
// of the top, and so one view.
type keeping struct {
	*config.Config
	apart string
}

// view is the cache as a route has it whose requests go to that pool; nil: there
// is none.
func (b *routing) view(of *config.Route, pool string) (v *cache.Cache, err error) {
	if b.cache == nil {
		return nil, nil
	}
	k := keeping{of.Config, apart(of, pool)}
	if v = b.views[k]; v != nil {
		return v, nil
	}
	t := cache.Terms{Off: true}
	if of.Cache.Memory > 0 {
		if t, err = cacheTerms(&of.Cache); err != nil {
			return nil, fmt.Errorf("route %s: %w", of.Name, err)
		}
	}
	t.Apart = k.apart
	b.views[k] = b.cache.With(t)
	return b.views[k], nil
}

// apart is what keeps answers from those of other routes and pools for the same
// URL; "": there are none, as host and path decide where a URL goes. It is made
// of what the operator wrote, not of names that are given by number: what is
// stored outlives reloads, and other nodes find it.
func apart(of *config.Route, pool string) string {
	m := &of.Match
	if len(of.Split) == 0 && len(m.Header) == 0 && len(m.Query) == 0 && takesGets(m) {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q", pool, m.Method, m.Header, m.Query))
	return " " + hex.EncodeToString(sum[:8])
}

// takesGets tells whether the methods of a rule leave no GET and no HEAD, which
// alone are looked up, to others.
func takesGets(m *route.Rule) bool {
	return len(m.Method) == 0 || slices.Contains(m.Method, "GET") && slices.Contains(m.Method, "HEAD")
}
