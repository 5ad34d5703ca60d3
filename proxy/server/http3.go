package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"multiserver/proxy/admin"
	"multiserver/proxy/edge"
)

// http3 is where it is spoken, beside TLS. The zero value speaks nothing.
type http3 struct {
	quic    *edge.QUIC
	sockets []*packets
	served  sync.WaitGroup
}

// openHTTP3 opens UDP at the ports of those TLS listeners to which clients come
// themselves: for whom a proxy comes QUIC has no way to say.
func (s *Server) openHTTP3() (err error) {
	if !s.conf.TLS.HTTP3 {
		return nil
	}
	// What the kernel grants is what there is; quic-go would say so by package
	// log, in the middle of ours.
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
	for _, ln := range s.secure {
		a, ok := ln.Addr().(*net.TCPAddr)
		if !ok || ln.headers != nil {
			continue
		}
		pc, failed := s.sockets.listenUDP(&net.UDPAddr{IP: a.IP, Port: a.Port, Zone: a.Zone})
		if failed != nil {
			err = errors.Join(err, fmt.Errorf("--http3 %s: %w", a, failed))
			continue
		}
		s.http3.sockets = append(s.http3.sockets, pc)
	}
	return err
}

// ports are those of its sockets.
func (h *http3) ports() (out []string) {
	for _, pc := range h.sockets {
		out = append(out, strconv.Itoa(pc.LocalAddr().(*net.UDPAddr).Port))
	}
	return out
}

func (s *Server) makeHTTP3() {
	if len(s.http3.sockets) == 0 {
		return
	}
	s.http3.quic = s.edge.NewQUIC(edge.QUICOptions{
		TLS:  s.tls.Load().certs.Config,
		Head: s.conf.Head,
		Most: s.crowd.most,
	})
}

// serveHTTP3 begins to serve the sockets; failed is told of one that cannot be.
func (s *Server) serveHTTP3(failed chan<- error) {
	h := &s.http3
	for _, pc := range h.sockets {
		s.log.Info("listening, HTTP/3", "addr", pc.LocalAddr().String())
		h.served.Go(func() {
			if err := h.quic.Serve(pc); err != nil {
				failed <- fmt.Errorf("HTTP/3 %s: %w", pc.LocalAddr(), err)
			}
		})
	}
}

// drain begins to end connections, after a while in which those that are about
// to begin can; until ctx is done they end by themselves.
func (h *http3) drain(ctx context.Context, after time.Duration) {
	switch {
	case h.quic == nil:
	case after == 0:
		h.quic.Drain(ctx)
	default:
		time.AfterFunc(after, func() { h.quic.Drain(ctx) })
	}
}

// wait returns when no connection is left, or ctx is done.
func (h *http3) wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { h.served.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (h *http3) close() {
	for _, pc := range h.sockets {
		_ = pc.Close()
	}
}

func (h *http3) metrics(m *admin.Metrics) {
	if h.quic == nil {
		return
	}
	st := &h.quic.Stats
	m.Gauge("multiserver_http3_connections", "HTTP/3 connections open, or opening.", float64(h.quic.Open()))
	m.Counter("multiserver_http3_refused_total", "HTTP/3 connections refused, as many as allowed were open.", st.Refused.Load())
	m.Counter("multiserver_http3_retries_total", "Clients that had to prove their address first, as too many came at once.", st.Asked.Load())
	m.Counter("multiserver_http3_early_total", "Requests that came before the end of the handshake (0-RTT), by what became of them.", st.Early.Load(), "passed", "at-once")
	m.Counter("multiserver_http3_early_total", "Requests that came before the end of the handshake (0-RTT), by what became of them.", st.Waited.Load(), "passed", "after-it")
}
