package server

import (
	"context"
	"runtime"
	"time"

	"multiserver/pool/spawn"
	"multiserver/proxy"
	"multiserver/proxy/config"
)

// tend begins what keeps a new group going.
func (s *Server) tend(g *group) {
	if g.ours != nil {
		g.shows = s.work.begin(g.ours.Run)
	}
	g.lives = s.run(g)
	g.looks = s.work.begin(func(ctx context.Context) { g.members.Run(ctx, g.roster.setFound) })
}

// run runs a group's processes; nil: there are none.
func (s *Server) run(g *group) *task {
	if g.spawned == nil {
		return nil
	}
	join, dismiss := g.roster.hire()
	return s.work.begin(func(ctx context.Context) {
		defer dismiss()
		g.spawned.Run(ctx, join)
	})
}

// succeed puts a group in the place of one of its name.
func (s *Server) succeed(g, old *group) {
	g.Configure(g.opt)
	if g.members != old.members {
		g.looks.halt()
		g.roster.setFound(g.members.Targets())
		g.looks = s.work.begin(func(ctx context.Context) { g.members.Run(ctx, g.roster.setFound) })
	}
	switch {
	case g.ours != old.ours:
		g.shows.halt()
		if g.shows = nil; g.ours != nil {
			g.shows = s.work.begin(g.ours.Run)
		}
	case g.ours != nil:
		g.ours.Reload()
	}
	if g.spawned != old.spawned {
		was := g.lives
		g.lives = s.run(g)
		s.relieve(was, g)
	} else if n := instances(g.conf); g.spawned != nil && n != instances(old.conf) {
		_ = g.spawned.Scale(n) // it fails only if all is to stop
	}
}

// instances is how many processes there are to be at first.
func instances(c *config.Config) int {
	if c.Spawn.Instances == config.AutoSpawn {
		return runtime.GOMAXPROCS(0)
	}
	return c.Spawn.Instances
}

const look = 20 * time.Millisecond

// relieve ends the processes that g's are to replace, once these are ready. If
// they never are, the old ones go on.
func (s *Server) relieve(was *task, g *group) {
	switch {
	case was == nil:
	case g.spawned == nil:
		was.end()
	default:
		app, now := g.spawned, g.lives
		s.work.begin(func(ctx context.Context) {
			until(ctx, func() bool { return manned(app) || now.over() })
			was.halt()
		})
	}
}

// manned tells whether all of an app's processes are there.
func manned(a *spawn.App) bool { return a.Ready() >= a.Size() && a.Size() > 0 }

// retire ends a group that is no longer configured, behind the last exchange
// that goes by routes in which it is.
func (s *Server) retire(g *group, in []*proxy.Routes) {
	s.work.begin(func(ctx context.Context) {
		for _, t := range in {
			until(ctx, t.Idle)
		}
		g.looks.halt()
		g.shows.halt()
		g.lives.halt()
		g.Close()
	})
}

// until waits for it to be so, or for ctx to be done.
func until(ctx context.Context, so func() bool) {
	t := time.NewTicker(look)
	defer t.Stop()
	for !so() {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}
