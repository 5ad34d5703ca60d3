package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"

	"multiserver/proxy/config"
)

// turnout is where clients come by another configuration: what stays, and
// what was opened for it. Nobody is taken there yet.
type turnout struct {
	plain, secure []*entry
	opened        []*entry // of these
	took          []*entry // of those there are now: their sockets go on in other entries
}

// wish is an address that a configuration has.
type wish struct {
	setting string
	at      config.Address
	by      []*entry // by a name there may be several; none: it is to be opened
}

// planEntries opens what c has and we have not; by TLS if that is spoken. With an
// error nothing is opened. Called with the reloads' mu held.
func (s *Server) planEntries(c *config.Config, secure bool) (t turnout, err error) {
	all := wishes(nil, plainAt, c.Listen)
	if !secure || s.http3.quic != nil { // see later
		all = wishes(all, secureAt, s.conf.TLS.Listen)
	} else {
		all = wishes(all, secureAt, c.TLS.Listen)
	}
	left := s.entries()
	for i := range all {
		left = all[i].claim(left)
	}
	for i := range all {
		w := &all[i]
		if w.by == nil {
			err = errors.Join(err, s.openBeside(&t, left, w))
		}
		if w.setting == plainAt {
			t.plain = append(t.plain, w.by...)
		} else {
			t.secure = append(t.secure, w.by...)
		}
	}
	if err = errors.Join(err, s.checkProxied(t.opened, c)); err != nil {
		t.abandon()
		return turnout{}, err
	}
	return t, nil
}

func wishes(all []wish, setting string, on []config.Address) []wish {
	for _, a := range on {
		all = append(all, wish{setting: setting, at: a})
	}
	return all
}

// claim takes those that are as w has it, and gives what is left.
func (w *wish) claim(from []*entry) (left []*entry) {
	for _, e := range from {
		if e.setting == w.setting && e.at == w.at && (w.by == nil || w.at.Network == byName) {
			w.by = append(w.by, e)
		} else {
			left = append(left, e)
		}
	}
	return left
}

// openBeside listens where w says, beside all there is: on the socket of an
// entry that will be gone, which was there by another setting or in another way,
// so that nobody who is about to connect is refused; else on one of its own.
func (s *Server) openBeside(t *turnout, gone []*entry, w *wish) error {
	d, err := s.doorFor(t, gone, w)
	if err != nil {
		return fmt.Errorf("%s %s: %w", w.setting, w.at.Addr, err)
	}
	w.by = []*entry{s.newEntry(w.setting, w.at, d)}
	t.opened = append(t.opened, w.by...)
	return nil
}

func (s *Server) doorFor(t *turnout, gone []*entry, w *wish) (*door, error) {
	name := doorName(w.setting, w.at)
	for _, e := range gone {
		if e.at.Network == w.at.Network && e.at.Addr == w.at.Addr && !slices.Contains(t.took, e) {
			t.took = append(t.took, e)
			return e.of.again(name)
		}
	}
	if w.at.Network == byName {
		return nil, s.sockets.handed.none(w.at.Addr)
	}
	ln, err := open(w.at)
	if err != nil {
		return nil, err
	}
	return &door{ln, name, true}, nil
}

// again is another listener on the same socket.
func (d *door) again(name string) (*door, error) {
	fd, err := copied(d.Listener)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return &door{ln, name, d.made}, nil
}

// checkProxied: who is believed is known from the start.
func (s *Server) checkProxied(opened []*entry, c *config.Config) error {
	for _, e := range opened {
		if e.at.Proxied && !slices.Equal(c.TrustedProxies, s.conf.TrustedProxies) {
			return fmt.Errorf("%s %s: --trusted-proxies cannot change with it, want the server started anew", e.setting, e.at)
		}
	}
	return nil
}

// abandon closes what was opened. A Unix socket's file goes with it, unless
// its socket is one that goes on.
func (t *turnout) abandon() {
	for _, e := range t.opened {
		_ = e.Close()
	}
}

// turn takes clients by what is new, and none any more by what is gone, whose
// connections end with their next answer. Called with the reloads' mu held.
func (s *Server) turn(t turnout) {
	gone := slices.DeleteFunc(s.entries(), func(e *entry) bool {
		return slices.Contains(t.plain, e) || slices.Contains(t.secure, e)
	})
	s.sockets.mu.Lock()
	for _, e := range t.took {
		e.of.keepFile(true)
	}
	for _, e := range t.opened {
		e.of.keepFile(!e.of.made)
		s.sockets.open = append(s.sockets.open, e.of)
	}
	s.sockets.open = slices.DeleteFunc(s.sockets.open, func(d *door) bool {
		return slices.ContainsFunc(gone, func(e *entry) bool { return e.of == d })
	})
	s.plain, s.secure = t.plain, t.secure
	s.sockets.mu.Unlock()
	for _, e := range t.opened {
		s.admit(e)
	}
	for _, e := range gone {
		s.shut(e, slices.Contains(t.took, e))
	}
}

// shut ends an entry whose socket may go on in another.
func (s *Server) shut(e *entry, goesOn bool) {
	switch {
	case goesOn:
	case e.of.made:
		s.log.Info("not listening any more", "addr", e.Addr().String())
	default:
		s.log.Warn("not listening any more, but the service manager is: who connects there waits", "addr", e.Addr().String(), "stop", "its socket unit")
	}
	_ = e.Close()
	s.edge.Shut(&e.from)
}
