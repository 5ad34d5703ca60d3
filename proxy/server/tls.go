package server

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"

	"multiserver/proxy/admin"
	"multiserver/proxy/certs"
	"multiserver/proxy/config"
)

// termination is how TLS is spoken with clients: made once, at the start or at the first
// reload that wants it.
type termination struct {
	certs  *certs.Store // that they are shown
	shakes *handshakes
	of     *config.TLS
}

func (s *Server) makeTLS() (err error) {
	if len(s.conf.TLS.Listen) == 0 {
		return nil
	}
	if err = s.makeACME(); err != nil {
		return err
	}
	t, err := s.newTermination(&s.conf.TLS)
	if err == nil {
		s.tls.Store(t)
	}
	return err
}

func (s *Server) newTermination(t *config.TLS) (*termination, error) {
	o := certs.Options{
		Pairs:      t.Pairs,
		SelfSigned: t.SelfSigned,
		ClientCA:   t.ClientCA,
		ClientMay:  t.ClientAuth == "optional",
		Protocols:  []string{http2, http1},
		Log:        s.log,
	}
	if r := &s.conf.Cache.Redis; len(r.Addrs) > 0 {
		o.Shared = ticketBoard{r}
	}
	if s.acme != nil {
		o.Issued = s.acme
	}
	store, err := certs.New(o)
	if err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return &termination{store, newHandshakes(store, s.conf.Head, s.log), t}, nil
}

// upstreamTLS is what all https upstreams of g have in common. It is old's if
// that would say the same: then their connections are as good as new ones.
func (s *Server) upstreamTLS(g, old *group) (c *tls.Config, err error) {
	u := &g.conf.UpstreamTLS
	c = &tls.Config{ServerName: u.SNI, InsecureSkipVerify: u.Insecure}
	if u.CA != "" {
		if c.RootCAs, err = certs.Roots(u.CA); err != nil {
			return nil, fmt.Errorf("--upstream-ca %s: %w", u.CA, err)
		}
	}
	if old != nil && *u == old.conf.UpstreamTLS && (u.CA == "" || c.RootCAs.Equal(old.opt.TLS.RootCAs)) {
		g.ours = old.ours
		return old.opt.TLS, nil
	}
	if u.Insecure {
		s.log.Warn("certificates of upstreams are not verified: whoever is in between can read and change everything", "unset", "--upstream-insecure")
	}
	if u.Identity.Cert != "" {
		if g.ours, err = certs.New(certs.Options{Pairs: []certs.Pair{u.Identity}, Log: s.log}); err != nil {
			return nil, fmt.Errorf("--upstream-cert: %w", err)
		}
		c.GetClientCertificate = g.ours.Present
	}
	return c, nil
}

// httpsPort is where requests without TLS are sent to, "" if they are not. It
// is known once the listeners are open.
func httpsPort(t *config.TLS, secure []*entry) string {
	switch {
	case !t.Redirect:
		return ""
	case t.Port != "":
		return t.Port
	}
	for _, ln := range secure {
		if a, ok := ln.Addr().(*net.TCPAddr); ok {
			return strconv.Itoa(a.Port)
		}
	}
	return "443"
}

// tlsMetrics are of handshakes with clients, and of certificates.
func (s *Server) tlsMetrics(m *admin.Metrics) {
	t := s.tls.Load()
	if t == nil {
		return
	}
	h := t.shakes
	for v, version := range []string{"1.2", "1.3"} {
		for r, resumed := range []string{"false", "true"} {
			m.Counter("multiserver_tls_handshakes_total", "TLS handshakes with clients, by version and by whether a session was resumed.",
				h.done[v][r].Load(), "version", version, "resumed", resumed)
		}
	}
	for r := range h.failed {
		m.Counter("multiserver_tls_failures_total", "TLS handshakes that came to nothing, by reason.",
			h.failed[r].Load(), "reason", failure(r).String())
	}
	st := &t.certs.Stats
	m.Counter("multiserver_tls_unknown_names_total", "Clients that asked for a name that no certificate has; they see the first.", st.Unknown.Load())
	m.Counter("multiserver_tls_certificates_loaded_total", "Certificates loaded, at start and when they were replaced.", st.Loaded.Load())
	m.Counter("multiserver_tls_certificates_broken_total", "Times that a certificate was replaced by what cannot be used.", st.Failed.Load())
	t.certs.Each(func(name string, expires time.Time) {
		m.Gauge("multiserver_tls_certificate_expires_seconds", "When a certificate expires, in seconds since 1970.",
			float64(expires.Unix()), "certificate", name)
	})
}
