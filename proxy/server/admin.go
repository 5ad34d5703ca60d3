package server

import (
	"fmt"
	"strings"

	"multiserver/cache"
	"multiserver/pool"
	"multiserver/proxy"
	"multiserver/proxy/admin"
)

// What the dashboard is shown, in the admin room's words.

// state is what GET /api/state says, but for what the admin room knows.
func (s *Server) state() admin.State {
	st := &s.proxy.Stats
	out := admin.State{
		Clients:   st.Clients.Load(),
		Tunnels:   st.Upgraded.Load(),
		InFlight:  st.UnderWay(),
		Bounds:    proxy.DurationBounds,
		Durations: make([]uint64, len(proxy.Spread{}.Counts)),
		Retries:   st.Retried(),
		Refused:   st.Refused.Load(),
		Routes:    []admin.Route{},
		Pools:     []admin.Pool{},
		Panels:    s.panels(),
	}
	var classes [len(st.Classes)]uint64
	for i := range classes {
		classes[i] = st.Classes[i].Load()
	}
	out.Requests = classesOf(classes)
	st.Routes.Each(func(name string, c proxy.Spread) {
		for i, n := range c.Counts {
			out.Durations[i] += n
		}
		out.Routes = append(out.Routes, admin.Route{Name: name, Requests: classesOf(c.Classes), Durations: c.Counts[:], Seconds: c.Sum})
	})
	if s.gate != nil {
		q := queueOf(s.gate.Queue)
		out.Queue = &q
	}
	waits := s.waits()
	for _, g := range s.groups() {
		out.Pools = append(out.Pools, g.state(waits[g.Name]))
	}
	return out
}

// moment is what charts show of this second.
func (s *Server) moment(m *admin.Moment) {
	st := &s.proxy.Stats
	var classes [len(st.Classes)]uint64
	for i := range classes {
		classes[i] = st.Classes[i].Load()
	}
	m.Requests, m.InFlight = classesOf(classes), st.UnderWay()
	st.Routes.Each(func(_ string, c proxy.Spread) {
		for i, n := range c.Counts {
			m.Durations[i] += n
		}
	})
	if s.gate != nil {
		m.Waiting = int64(s.gate.Queue.Waiting())
	}
	for _, g := range s.groups() {
		m.Waiting += int64(g.Queue().Waiting() + g.Second().Waiting())
	}
	if s.cache == nil {
		return
	}
	c := &s.cache.Stats
	m.Hits = c.Hits[cache.Memory].Load() + c.Hits[cache.Redis].Load() + c.Hits[cache.Stale].Load()
	for r := cache.Reason(1); r < cache.Reasons; r++ {
		m.Misses += c.Misses[r].Load()
	}
}

// waits are for the pools' answers, by pool.
func (s *Server) waits() map[string]proxy.Spread {
	all := map[string]proxy.Spread{}
	s.proxy.Stats.Pools.Each(func(name string, c proxy.Spread) { all[name] = c })
	return all
}

func (g *group) state(waits proxy.Spread) admin.Pool {
	out := admin.Pool{
		Name:      g.Name,
		Balance:   g.Balance,
		Queue:     queueOf(g.Queue()),
		Waits:     waits.Counts[:],
		Seconds:   waits.Sum,
		Upstreams: []admin.Upstream{},
	}
	second := queueOf(g.Second())
	out.Queue.Waiting += second.Waiting
	out.Queue.Waited += second.Waited
	out.Queue.Refused += second.Refused
	for _, u := range g.Upstreams() {
		out.Upstreams = append(out.Upstreams, upstreamState(u))
	}
	return out
}

func upstreamState(u *pool.Upstream) admin.Upstream {
	t := u.Target()
	out := admin.Upstream{
		Name:     t.Name,
		Health:   healthOf(u),
		Drained:  u.Drained(),
		Weight:   t.Weight,
		Backup:   t.Backup,
		Max:      t.Max,
		Load:     u.Load(),
		Idle:     u.Idle(),
		Latency:  u.Latency().Seconds(),
		Requests: u.Stats.Picked.Load(),
	}
	for r := range u.Stats.Faults {
		out.Faults += u.Stats.Faults[r].Load()
	}
	return out
}

// healthOf is the reason why requests go elsewhere, the operator's first.
func healthOf(u *pool.Upstream) string {
	switch {
	case u.Drained():
		return "drained"
	case u.Failing():
		return "failing"
	case u.Ejected():
		return "ejected"
	case u.Down():
		return "down"
	}
	return "up"
}

func classesOf(n [6]uint64) admin.Classes {
	return admin.Classes{None: n[0], C1: n[1], C2: n[2], C3: n[3], C4: n[4], C5: n[5]}
}

func queueOf(q *pool.Queue) admin.Queue {
	return admin.Queue{
		Waiting: int64(q.Waiting()),
		Waited:  q.Stats.Waited.Load(),
		Refused: q.Stats.Full.Load() + q.Stats.Late.Load() + q.Stats.Gone.Load(),
	}
}

// mostWeight is also that of the settings.
const mostWeight = 1000

// upstreamChanges are what the dashboard may do with upstreams.
func (s *Server) upstreamChanges() *admin.Upstreams {
	return &admin.Upstreams{
		Drain: func(in, name string, out bool) (any, error) {
			return s.upstream(in, name, func(p *pool.Pool, name string) {
				p.Drain(name, out)
				s.log.Info("upstream changed", "client", "admin", "pool", in, "upstream", name, "drained", out)
			})
		},
		Weigh: func(in, name string, weight int) (any, error) {
			if weight < 1 || weight > mostWeight {
				return nil, fmt.Errorf("weight %d: want 1 to %d; drain sends nothing there", weight, mostWeight)
			}
			return s.upstream(in, name, func(p *pool.Pool, name string) {
				p.Weigh(name, uint32(weight))
				s.log.Info("upstream changed", "client", "admin", "pool", in, "upstream", name, "weight", weight)
			})
		},
	}
}

// upstream does something with one of a pool's, and says how it is then.
func (s *Server) upstream(in, name string, do func(p *pool.Pool, name string)) (any, error) {
	g := named(s.groups(), in)
	if g == nil {
		return nil, fmt.Errorf("pool %q: %w", in, admin.ErrNoPool)
	}
	u := find(g.Upstreams(), name)
	if u == nil {
		return nil, fmt.Errorf("pool %q, upstream %q: %w", in, name, admin.ErrNoUpstream)
	}
	do(g.Pool.Pool, u.Name())
	return upstreamState(u), nil
}

// find knows an upstream by its name, or by that without its scheme if it is the
// only one.
func find(all []*pool.Upstream, name string) (u *pool.Upstream) {
	short := 0
	for _, o := range all {
		if o.Name() == name {
			return o
		}
		if _, rest, _ := strings.Cut(o.Name(), "://"); rest == name {
			short++
			u = o
		}
	}
	if short != 1 {
		return nil
	}
	return u
}
