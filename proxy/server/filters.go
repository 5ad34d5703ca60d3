package server

import (
	"context"
	"errors"
	"log/slog"

	"multiserver/proxy"
	"multiserver/proxy/admin"
	"multiserver/proxy/config"
	"multiserver/proxy/filter"
	"multiserver/sync/link"
)

func (s *Server) filterOptions(key string) filter.Options {
	o := filter.Options{Key: key, Log: s.log}
	if len(s.conf.Cache.Redis.Addrs) > 0 {
		o.Shared = s.shared
	}
	return o
}

// shared is where filters of all nodes meet: one link for all of them, opened
// for the first that asks.
func (s *Server) shared() (*filter.Shared, error) {
	if s.meeting != nil {
		return s.meeting, nil
	}
	r := &s.conf.Cache.Redis
	l, err := link.Open(context.Background(), link.Options{URL: redisURL(r), Timeout: filter.MostAsked, Name: "limits", Log: s.log})
	if err != nil {
		return nil, err
	}
	s.opened = append(s.opened, closing(l.Close))
	s.meeting = &filter.Shared{Link: l, Prefix: r.Prefix + ":"}
	return s.meeting, nil
}

// closing is an io.Closer.
type closing func()

func (f closing) Close() error {
	f()
	return nil
}

// CheckFilter is for config.Parse: whether a filter can be made.
func CheckFilter(c *config.Filter) error {
	o := filter.Options{Key: "check", Log: slog.New(slog.DiscardHandler)}
	if c.Redis {
		o.Shared = func() (*filter.Shared, error) { return nil, nil }
	}
	_, err := newFilter(c, o)
	return err
}

func newFilter(c *config.Filter, o filter.Options) (proxy.Filter, error) {
	o.Decode, o.Secret = c.Decode, c.Secret
	f, err := filter.New(c.Name, o)
	var said config.Mistakes
	if err == nil || errors.As(err, &said) {
		return f, err
	}
	return nil, c.Mistake("", err.Error())
}

func filterMetrics(m *admin.Metrics) {
	const name, help = "multiserver_filter_failures_total", "What filters did not do as they were told, by why."
	m.Counter(name, help, filter.Stats.Plain.Load(), "reason", "encoders-busy")
	m.Counter(name, help, filter.Stats.Unheld.Load(), "reason", "no-room-to-hold")
	m.Counter(name, help, filter.Stats.Unknown.Load(), "reason", "rate-unknown")
}
