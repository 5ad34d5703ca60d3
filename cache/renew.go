package cache

// Behind makes next the visit of a request that refreshes what v has just
// answered with, and tells whether there is to be one: nobody else is at it,
// and not too many are under way. next.End gives its place back.
func (c *Cache) Behind(next, v *Visit) bool {
	select {
	case c.behind <- struct{}{}:
	default:
		return false
	}
	f, lead := c.flights.join(v.at)
	if !lead {
		<-c.behind
		return false
	}
	next.c, next.fetch, next.isBehind = c, f, true
	next.key, next.at = append(next.key[:0], v.key...), append(next.at[:0], v.at...)
	next.bare = v.bare
	next.names, next.gen, next.vary = append(next.names[:0], v.names...), v.gen, v.vary
	next.found = append([]byte(nil), v.found[:Room+len(v.Entry.rec)]...)
	next.Entry, _ = open(next.found[Room:])
	next.wish, next.Now, next.fills, next.Why = v.wish, v.Now, true, Expired
	next.asks = next.Entry.validators() && c.complete(next)
	next.leave()
	c.Stats.Refreshed.Add(1)
	return true
}
