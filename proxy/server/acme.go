package server

import (
	"fmt"
	"net"

	"multiserver/proxy"
	"multiserver/proxy/certs"
	"multiserver/proxy/certs/acme"
)

// makeACME takes what was ordered before. Nodes that share Redis order
// together, unless the operator wants it kept elsewhere.
func (s *Server) makeACME() (err error) {
	a := &s.conf.TLS.ACME
	o := acme.Options{Names: a.Names, Email: a.Email, CA: a.CA, Dir: a.Dir, Log: s.log}
	if len(o.Names) == 0 {
		return nil
	}
	if a.Roots != "" {
		if o.Roots, err = certs.Roots(a.Roots); err != nil {
			return fmt.Errorf("--acme-ca-root %s: %w", a.Roots, err)
		}
	}
	if r := &s.conf.Cache.Redis; len(r.Addrs) > 0 && o.Dir == "" {
		redis, err := ticketBoard{r}.option()
		if err != nil {
			return err
		}
		o.Redis, o.Prefix = &redis, r.Prefix
	} else if o.Dir, err = a.Where(); err != nil {
		return fmt.Errorf("--acme-dir: %w", err)
	}
	if s.acme, err = acme.New(o); err != nil {
		return fmt.Errorf("--acme-dir: %w", err)
	}
	return nil
}

// proof is how authorities are answered without TLS, nil if they are not.
func (s *Server) proof() proxy.Proof {
	if s.acme == nil || !s.conf.TLS.ACME.ByHTTP() {
		return nil
	}
	return s.acme.ProveHTTP
}

// tellPorts says where authorities find us. Certmagic listens by itself where
// it believes that nobody does, so it has to know of us.
func (s *Server) tellPorts() {
	a, all, host, ports := &s.conf.TLS.ACME, s.entries(), "", [2]int{}
	if a.ByHTTP() {
		host, ports[0] = firstTCP(all, plainAt)
	}
	if a.ByTLS() {
		there, port := firstTCP(all, secureAt)
		if ports[1] = port; ports[0] == 0 {
			host = there
		} else if port != 0 && there != host {
			host = ""
		}
	}
	s.acme.Ports(host, ports[0], ports[1])
}

// firstTCP is an address that one of a setting listens on; 0: there is none.
func firstTCP(all []*entry, setting string) (host string, port int) {
	for _, e := range all {
		if a, ok := e.Addr().(*net.TCPAddr); ok && e.setting == setting {
			return a.IP.String(), a.Port
		}
	}
	return "", 0
}
