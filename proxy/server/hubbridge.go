package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"

	"multiserver/pool"
	"multiserver/proxy/config"
	"multiserver/sync/hub/bridge"
)

// span is a bridge over the upstreams of a route.
type span struct {
	bridge *bridge.Bridge
	node   string // begins the names of instances that only this node can mean
	server *Server
	pools  atomic.Pointer[[]string] // by their names: a reload may change what they are
	host   atomic.Pointer[string]   // that a client has asked for
}

// bridge is that of a route by its name, which a reload keeps.
func (h *hubs) bridge(of *config.Route) *span {
	h.mu.Lock()
	defer h.mu.Unlock()
	route, pools := of.Name, []string{of.Pool}
	if len(of.Split) > 0 {
		pools = nil
		for _, sh := range of.Split {
			pools = append(pools, sh.Pool)
		}
	}
	s := h.bridges[route]
	if s == nil {
		s = &span{server: h.server, node: strconv.FormatUint(h.Node(), 36)}
		s.bridge = bridge.New(bridge.Options{
			Hub:    h.Hub,
			Name:   route,
			Dial:   s.dial,
			Header: s.header,
			Share:  h.shared,
			Log:    h.server.log,
		})
		h.bridges[route] = s
	}
	s.pools.Store(&pools)
	s.look()
	return s
}

func (h *hubs) lookForInstances() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.bridges {
		s.look()
	}
}

func (s *span) look() {
	var names []string
	s.each(func(u *pool.Upstream) { names = append(names, s.instance(u.Name())) })
	s.bridge.Instances(names)
}

func (s *span) each(f func(u *pool.Upstream)) {
	for _, name := range *s.pools.Load() {
		if g := named(s.server.groups(), name); g != nil {
			for _, u := range g.Upstreams() {
				f(u)
			}
		}
	}
}

// instance is what all nodes call an upstream. An address on this machine is
// another place on each.
func (s *span) instance(upstream string) string {
	if s == nil || upstream == "" || !here(upstream) {
		return upstream
	}
	return s.node + " " + upstream
}

// here tells whether an upstream can only be on this machine.
func here(upstream string) bool {
	_, host, ok := strings.Cut(upstream, "://")
	if !ok {
		return true // a socket
	}
	host, _, _ = strings.Cut(host, "/")
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (s *span) dial(ctx context.Context, instance string) (net.Conn, error) {
	var at *pool.Upstream
	s.each(func(u *pool.Upstream) {
		if s.instance(u.Name()) == instance {
			at = u
		}
	})
	if at == nil {
		return nil, fmt.Errorf("%s: no such upstream any more", instance)
	}
	return at.Dial(ctx)
}

func (s *span) header(string) http.Header {
	h := http.Header{}
	if host := s.host.Load(); host != nil && *host != "" {
		h.Set("Host", *host)
	}
	return h
}
