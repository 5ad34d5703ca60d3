package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"multiserver/proxy/config"
	"multiserver/proxy/server"
)

// readyTick is how often it is looked whether we are ready: at once without
// processes of an app, and as late as they are with them.
const readyTick = 5 * time.Millisecond

// arrive takes clients once we are ready, in the place of another process if
// there is one, and tells the service manager. It ends with ctx.
func arrive(ctx context.Context, s *server.Server, h *handed, pid pidFile, m *manager) error {
	t := time.NewTicker(readyTick)
	defer t.Stop()
	for !s.Ready() {
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil
		}
	}
	if h.talk != nil {
		if err := h.enter(s); err != nil {
			return err
		}
		s.Enter()
		if err := pid.write(); err != nil {
			return err
		}
	}
	m.ready()
	return nil
}

// take has s take clients once it is ready, and other processes take its place
// when they are asked for. leave ends serving here. stop ends all of that.
func take(ctx context.Context, leave context.CancelFunc, s *server.Server, c *config.Config, h *handed, m *manager, log *slog.Logger) (stop func() error, err error) {
	path, err := program()
	if err != nil {
		return nil, err
	}
	pid := pidFile(c.PidFile)
	if h.talk == nil {
		s.Enter()
		if err := pid.write(); err != nil {
			return nil, err
		}
	}
	u := &upgrade{path: path, server: s, within: c.Upgrading, life: ctx, leave: leave, manager: m, log: log}
	s.Upgrade = u.run
	unheard := u.onSignal()
	var work sync.WaitGroup
	var failed error
	work.Go(func() {
		if failed = arrive(ctx, s, h, pid, m); failed != nil {
			leave()
		}
	})
	work.Go(func() { m.live(ctx, s.Pulse) })
	work.Go(func() {
		<-ctx.Done()
		m.stopping()
	})
	return func() error {
		leave()
		unheard()
		work.Wait()
		if !u.left.Load() { // else it may be written in the moment between our look and this
			pid.remove()
		}
		return failed
	}, nil
}
