package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"syscall"

	"multiserver/pool"
	"multiserver/pool/spawn"
	"multiserver/proxy/admin"
	"multiserver/proxy/config"
)

// The processes of an app, where the operator wants us to run them.

// newApp checks what can be known before anything runs. nil: there is none.
func (s *Server) newApp(of *config.Group) (*spawn.App, error) {
	c := &of.Spawn
	if c.Instances == 0 {
		return nil, nil
	}
	name := of.Name
	if name == "default" {
		name = "app"
	}
	app, err := spawn.New(spawn.Options{
		Name:         name,
		Command:      c.Command,
		Dir:          c.Dir,
		User:         c.User,
		Instances:    instances(of.Config),
		Surge:        c.Surge,
		Socket:       c.Socket,
		Handed:       c.Handed,
		Path:         of.Health.Path,
		ReadyTimeout: c.Ready,
		Drain:        of.Drain,
		StopSignal:   signals[c.StopSignal],
		StopTimeout:  c.Stop,
		MaxMemory:    c.MaxMemory,
		MaxAge:       c.MaxAge,
		MaxRequests:  uint64(c.MaxRequests),
		Watch:        c.Watch,
		Hook:         c.Hook,
		Each:         pool.Target{Weight: 1},
		Events:       &s.events,
		Log:          s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("--spawn: %w", err)
	}
	return app, nil
}

// signals are those of --spawn-stop-signal.
var signals = map[string]syscall.Signal{
	"TERM": syscall.SIGTERM, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT,
	"HUP": syscall.SIGHUP, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
}

func (g *group) spawns() bool { return g.spawned != nil }

// Ready tells whether clients should be sent here.
func (s *Server) Ready() bool { return s.isReady() }

// Pulse is a time that goes on as long as connections are looked after.
func (s *Server) Pulse() int64 { return s.guard.Now() }

// isReady: clients should be sent here, and none is sent where there is no
// process yet.
func (s *Server) isReady() bool {
	return s.ready.Load() && !slices.ContainsFunc(s.groups(), func(g *group) bool {
		return g.spawned != nil && g.spawned.Ready() == 0 && len(g.conf.Upstreams) == 0
	})
}

// processes is what the admin pages are told of them; nil: there are none.
func (s *Server) processes() *admin.Spawn {
	if s.conf.File == "" && !slices.ContainsFunc(s.groups(), (*group).spawns) {
		return nil // and none can come
	}
	return &admin.Spawn{
		Status: func() any { return s.processStatus() },
		Restart: func(ctx context.Context, pool string) (any, int, error) {
			return s.process(pool, func(a *spawn.App) error { return a.Roll(ctx, spawn.Roll) })
		},
		Scale: func(pool string, n int) (any, int, error) {
			return s.process(pool, func(a *spawn.App) error { return a.Scale(n) })
		},
		Listen: s.listenEvents,
	}
}

// poolStatus is a spawn.Status and whose it is.
type poolStatus struct {
	Pool string `json:"pool"`
	spawn.Status
}

func (s *Server) processStatus() []poolStatus {
	all := []poolStatus{}
	for _, g := range s.groups() {
		if g.spawned != nil {
			all = append(all, poolStatus{g.Name, g.spawned.Status()})
		}
	}
	return all
}

// process does something with the processes of a pool, or of the only one.
func (s *Server) process(pool string, do func(*spawn.App) error) (answer any, status int, err error) {
	var names []string
	var of *group
	for _, g := range s.groups() {
		if g.spawned != nil {
			names = append(names, g.Name)
			if g.Name == pool || pool == "" {
				of = g
			}
		}
	}
	if of == nil || pool == "" && len(names) > 1 {
		return nil, http.StatusBadRequest, fmt.Errorf("pool %q: want one of %v", pool, names)
	}
	err = do(of.spawned)
	switch {
	case err == nil:
		return poolStatus{of.Name, of.spawned.Status()}, http.StatusOK, nil
	case errors.Is(err, spawn.ErrRolling):
		return nil, http.StatusConflict, err
	case errors.Is(err, spawn.ErrCount):
		return nil, http.StatusBadRequest, err
	}
	return nil, http.StatusBadGateway, err
}

func (s *Server) listenEvents() (next func(context.Context) (admin.Event, bool), end func()) {
	from, end := s.events.Listen()
	return func(ctx context.Context) (admin.Event, bool) {
		select {
		case e := <-from:
			return admin.Event{ID: e.Seq, Name: string(e.Kind), Data: e}, true
		case <-ctx.Done():
			return admin.Event{}, false
		}
	}, end
}

// spawnMetrics are of a group's processes.
func (g *group) spawnMetrics(m *admin.Metrics) {
	if g.spawned == nil {
		return
	}
	st, of := &g.spawned.Stats, []string{"pool", g.Name}
	m.Gauge("multiserver_spawn_instances", "Processes that there should be.", float64(g.spawned.Size()), of...)
	m.Gauge("multiserver_spawn_ready", "Processes that get requests.", float64(g.spawned.Ready()), of...)
	m.Counter("multiserver_spawn_starts_total", "Processes started.", st.Starts.Load(), of...)
	for c := range st.Ends {
		m.Counter("multiserver_spawn_ends_total", "Processes that ended, or could not be started, by cause.",
			st.Ends[c].Load(), append(of, "cause", spawn.Cause(c).String())...)
	}
	m.Counter("multiserver_spawn_kills_total", "Processes killed, as they did not end when told to.", st.Kills.Load(), of...)
	m.Counter("multiserver_spawn_lines_total", "Lines that processes wrote.", st.Lines.Load(), of...)
	m.Counter("multiserver_spawn_lines_dropped_total", "Of these, lines that were too many for the log.", st.Dropped.Load(), of...)
	m.Counter("multiserver_spawn_rolls_total", "Rolling restarts, by how they ended.", st.Rolls.Load(), append(of, "result", "done")...)
	m.Counter("multiserver_spawn_rolls_total", "Rolling restarts, by how they ended.", st.Failed.Load(), append(of, "result", "failed")...)
	m.Counter("multiserver_spawn_hook_failures_total", "Events that the hook did not take.", st.Unheard.Load(), of...)
}
