package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"multiserver/proxy"
	"multiserver/proxy/config"
	"multiserver/sync/hub"
	"multiserver/sync/hub/api"
	hubmongo "multiserver/sync/hub/mongo"
	hubredis "multiserver/sync/hub/redis"
	"multiserver/sync/link"
)

// hubs is the hub of all routes, and what belongs to it. It begins with the
// first route that has one and lasts as long as the process: its members stay
// through reloads.
type hubs struct {
	*hub.Hub
	server *Server
	api    *api.API
	evict  bool
	kept   []config.History
	shared bool       // with other nodes
	link   *link.Link // that its broker goes over; nil: over none
	redis  *hubredis.Broker
	mongo  *hubmongo.Broker
	flows  flows

	mu      sync.Mutex
	bridges map[string]*span // guarded by mu; by route

	ctx  context.Context // ends with close
	stop context.CancelFunc
	work sync.WaitGroup
}

// openHub is the hub that there is, or one as c wants it.
func (s *Server) openHub(c *config.Config) (*hubs, error) {
	if h := s.hub.Load(); h != nil {
		return h, nil
	}
	h := &hubs{server: s, evict: c.Hub.Slow == "drop-oldest", kept: c.Hub.History, bridges: map[string]*span{}}
	h.ctx, h.stop = context.WithCancel(context.Background())
	broker, err := h.broker(c)
	if err != nil {
		return nil, fmt.Errorf("--hub: %w", err)
	}
	h.Hub, err = hub.New(hub.Options{
		Broker:     broker,
		History:    h.history,
		MaxJoined:  c.Hub.MaxChannels,
		MaxMembers: c.Hub.MaxMembers,
		MaxPerAddr: c.Hub.MaxPerAddr,
		DropNewest: c.Hub.Slow == "drop-newest",
		Log:        s.log,
	})
	if err != nil {
		return nil, fmt.Errorf("--hub: %w", err)
	}
	h.api = api.New(h.Hub)
	h.work.Go(h.tend)
	s.hub.Store(h)
	return h, nil
}

// broker is what carries messages to other nodes; nil: there are none.
func (h *hubs) broker(c *config.Config) (b hub.Broker, err error) {
	at, name := &c.Cache.Redis, c.Hub.Broker
	switch {
	case name == "memory", name == "auto" && len(at.Addrs) == 0 && c.Hub.Mongo == "":
		return nil, nil
	case name == "mongo", len(at.Addrs) == 0:
		h.shared = true
		if h.mongo, err = hubmongo.New(hubmongo.Options{URL: c.Hub.Mongo, Prefix: at.Prefix + "_hub"}); err != nil {
			return nil, err
		}
		return h.mongo, nil
	}
	h.shared = true
	h.link, err = link.Open(h.ctx, link.Options{URL: redisURL(at), Name: "hub", Log: h.server.log})
	if err != nil {
		return nil, err
	}
	h.redis = hubredis.New(h.link, hubredis.Options{Prefix: at.Prefix + ":hub:", Log: h.server.log})
	return h.redis, nil
}

// history is what is kept of a channel.
func (h *hubs) history(channel string) hub.History {
	for i := range h.kept {
		if k := &h.kept[i]; hub.Match(k.Pattern, channel) {
			return hub.History{Size: k.Size, TTL: k.TTL}
		}
	}
	return hub.History{}
}

// tendEvery is how often it is looked who has gone, and which instances there
// are.
const tendEvery = time.Second

func (h *hubs) tend() {
	t := time.NewTicker(tendEvery)
	defer t.Stop()
	for n := 0; ; n++ {
		select {
		case <-h.ctx.Done():
			return
		case <-t.C:
		}
		h.lookForInstances()
		if n%5 == 0 {
			h.flows.endGone()
		}
	}
}

// close ends it when no tunnel is left.
func (h *hubs) close() {
	if h == nil {
		return
	}
	h.stop()
	h.work.Wait()
	for _, b := range h.bridges {
		b.bridge.Close()
	}
	_ = h.Close()
	if h.link != nil {
		h.link.Close()
	}
}

// hubPages answers what admin pages of the hub there are.
func (s *Server) hubPages(ctx *fasthttp.RequestCtx) (answered, there bool) {
	h := s.hub.Load()
	if h == nil {
		return false, false
	}
	return h.api.Serve(ctx), true
}

// hubRoute gives a route its part of the hub, if it has one.
func (s *Server) hubRoute(r *proxy.Route, of *config.Route) error {
	if len(of.Hub.Paths) == 0 {
		return nil
	}
	h, err := s.openHub(of.Config)
	if err != nil {
		return err
	}
	m, err := h.mount(of)
	if err != nil {
		return fmt.Errorf("route %s: %w", of.Name, err)
	}
	r.Filters = append(r.Filters, m)
	r.Watch, r.Events = m, m
	return nil
}
