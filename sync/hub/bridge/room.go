package bridge

import (
	"slices"
	"time"

	"multiserver/sync/hub"
)

// room is a path in use.
type room struct {
	b       *Bridge
	path    string
	channel string // of its clients

	clients int             // guarded by b.mu
	ears    map[string]*ear // guarded by b.mu; by instance
	ends    *time.Timer     // runs while there are no clients
	share   *share          // nil: other nodes are not told
}

// newRoom is called with b.mu held.
func newRoom(b *Bridge, path string) *room {
	r := &room{b: b, path: path, channel: b.name("bridge:", path), ears: make(map[string]*ear)}
	r.ends = time.AfterFunc(time.Hour, func() { b.vacate(r) })
	r.ends.Stop()
	if b.opt.Share {
		r.share = newShare(r)
	}
	return r
}

// staff has one ear at each instance. Called with mu held.
func (b *Bridge) staff(r *room) {
	for instance, e := range r.ears {
		if !slices.Contains(b.instances, instance) {
			e.stop()
			delete(r.ears, instance)
		}
	}
	for _, instance := range b.instances {
		if r.ears[instance] == nil {
			r.ears[instance] = newEar(r, instance)
		}
	}
}

// has tells whether this node listens to an instance itself.
func (r *room) has(instance string) bool {
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	return r.ears[instance] != nil
}

// heard shows what an instance has said to those who do not hang on it.
func (r *room) heard(instance string, kind hub.Kind, data []byte) {
	r.b.Stats.Heard.Add(1)
	r.b.opt.Hub.Show(hub.Post{Channel: r.channel, Kind: kind, Origin: instance, Data: data})
	r.share.tell(instance, kind, data)
}
