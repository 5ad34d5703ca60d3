package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"multiserver/proxy/config"
	"multiserver/proxy/server"
)

// stages are what a command does beside serving; each may be nil.
type stages struct {
	handed *handed                        // what was open before
	reread func() (*config.Config, error) // what is configured now; nil: always the same
	ready  func(addrs []net.Addr)         // clients can connect
	drain  func()                         // a signal came, exchanges under way may end
}

// serve runs the proxy until a signal stops it.
func serve(c *config.Config, at stages) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	ctx, release := untilSignal(log)
	defer release()
	told := newManager()

	s, err := server.NewOn(ctx, c, log, at.handed.Handed)
	if ctx.Err() != nil && err != nil {
		return nil // told to stop while it waited for DNS
	}
	if err != nil {
		return err
	}
	defer onReopen(s)()
	s.Reread = at.reread
	defer onHangup(told.reloading, s.Renew, told.ready)()
	stop, err := take(ctx, release, s, c, at.handed, told, log)
	if err != nil {
		release()
		return errors.Join(err, s.Run(ctx)) // which closes it
	}
	if at.ready != nil {
		at.ready(s.Addrs())
	}
	if at.drain != nil {
		defer context.AfterFunc(ctx, at.drain)()
	}
	return errors.Join(s.Run(ctx), stop())
}

// onReopen opens the access log anew at each SIGUSR1, as those who rotate logs
// ask for it. stop ends that.
func onReopen(s *server.Server) (stop func()) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGUSR1)
	var done sync.WaitGroup
	done.Go(func() {
		for range asked {
			s.Reopen()
		}
	})
	return func() {
		signal.Stop(asked)
		close(asked)
		done.Wait()
	}
}

// onHangup has each of do, in turn, at each SIGHUP, which asks a server to take
// up what is new. stop ends that.
func onHangup(do ...func()) (stop func()) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	var done sync.WaitGroup
	done.Go(func() {
		for range asked {
			for _, f := range do {
				f()
			}
		}
	})
	return func() {
		signal.Stop(asked)
		close(asked)
		done.Wait()
	}
}

// untilSignal is done at the first SIGTERM or SIGINT, so that exchanges under
// way can end. Whoever sends a second one wants no more waiting.
func untilSignal(log *slog.Logger) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	go func() {
		log.Info("told to stop", "signal", (<-stop).String())
		cancel()
		log.Warn("stopping at once", "signal", (<-stop).String())
		os.Exit(exitClean)
	}()
	// When whoever reads our output goes away (`multiserver … | head`), the
	// runtime would end the process at the next line it logs. Losing the log
	// must not mean losing the service. Notify and not Ignore: children, once
	// we have some, should not inherit it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return ctx, cancel
}
