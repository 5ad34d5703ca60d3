package server

import (
	"slices"
	"sync"

	"multiserver/pool"
	"multiserver/pool/spawn"
)

// roster is a pool's members by where they come from, told to it as one.
type roster struct {
	pool *pool.Pool

	mu    sync.Mutex
	found []pool.Target // guarded by mu; by their addresses and DNS
	crews []*crew       // guarded by mu
}

// crew is the processes of one app. There are two while one takes the other's
// place.
type crew struct{ targets []pool.Target }

func (r *roster) setFound(targets []pool.Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found = targets
	r.tell(nil)
}

// hire makes room for an app's processes, until dismiss.
func (r *roster) hire() (join spawn.Join, dismiss func()) {
	c := &crew{}
	r.mu.Lock()
	r.crews = append(r.crews, c)
	r.mu.Unlock()
	join = func(targets []pool.Target) []*pool.Upstream {
		r.mu.Lock()
		defer r.mu.Unlock()
		c.targets = targets
		return r.tell(c)
	}
	return join, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.crews = slices.DeleteFunc(r.crews, func(o *crew) bool { return o == c })
	}
}

// tell gives the pool its members, and returns c's: the pool has them in the
// order of the targets. Called with mu held.
func (r *roster) tell(c *crew) []*pool.Upstream {
	all, from := slices.Clone(r.found), 0
	for _, o := range r.crews {
		if o == c {
			from = len(all)
		}
		all = append(all, o.targets...)
	}
	r.pool.Set(all)
	if c == nil {
		return nil
	}
	return r.pool.Upstreams()[from:][:len(c.targets)]
}
