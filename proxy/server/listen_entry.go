package server

import (
	"errors"
	"fmt"
	"net"
	"slices"

	"multiserver/proxy"
	"multiserver/proxy/config"
)

// entry is a listener by which clients come.
type entry struct {
	net.Listener
	of      *door
	setting string
	at      config.Address
	headers *headers // nil: none come here
	from    proxy.Entrance
}

// The settings that say where they are.
const (
	plainAt  = "--listen"
	secureAt = "--tls-listen"
)

func (s *Server) listen() error {
	s.headers = &headers{from: s.conf.TrustedProxies, within: s.conf.Head, log: s.log}
	var plain, secure error
	s.plain, plain = s.openAll(plainAt, s.conf.Listen)
	s.secure, secure = s.openAll(secureAt, s.conf.TLS.Listen)
	return errors.Join(plain, secure, s.openHTTP3())
}

// openAll opens as many as it can; those are given with an error, too.
func (s *Server) openAll(setting string, on []config.Address) (all []*entry, err error) {
	for _, a := range on {
		doors, failed := s.sockets.listen(setting, a)
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("%s %s: %w", setting, a.Addr, failed))
		}
		for _, d := range doors {
			all = append(all, s.newEntry(setting, a, d))
		}
	}
	return all, err
}

func (s *Server) newEntry(setting string, a config.Address, d *door) *entry {
	e := &entry{Listener: s.sockets.guarded(d.Listener), of: d, setting: setting, at: a}
	if a.Proxied {
		e.headers = s.headers
		s.headers.wanted.Store(true)
	}
	return e
}

// entries are all by which clients come, those without TLS first.
func (s *Server) entries() []*entry {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	return slices.Concat(s.plain, s.secure)
}

// admit takes clients by e until it is closed.
func (s *Server) admit(e *entry) {
	as, shakes := "listening", (*handshakes)(nil)
	if e.setting == secureAt {
		as, shakes = "listening, TLS", s.tls.Load().shakes
	}
	s.log.Info(as, "addr", e.Addr().String())
	s.work.wg.Go(func() {
		ln := listener{patient{e, &s.crowd}, &s.crowd, e.headers, shakes, &e.from}
		if err := s.front.Serve(ln); err != nil {
			select {
			case s.failed <- fmt.Errorf("listener %s: %w", e.Addr(), err):
			default: // another one has failed already
			}
		}
	})
}
