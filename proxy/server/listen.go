package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"multiserver/proxy/config"
)

// sockets are all that are open for those who connect to us.
type sockets struct {
	handed Handed
	mu     sync.Mutex // guards open, as a reload changes it
	open   []*door
	enter  chan struct{} // closed: clients are taken
	once   sync.Once     // for that
	relays []*relay      // of each UDP socket, to the process that Sockets was asked for
	left   bool          // for another process, which has them now
}

// door is one of them, by the name under which another process finds it.
type door struct {
	net.Listener
	name string
	made bool // by a process of ours, not by a service manager: its file is ours to remove
}

// doorName is the same whether headers come by it or not, which may change from
// one process to the next.
func doorName(setting string, a config.Address) string {
	a.Proxied = false
	return setting + " " + a.String()
}

// listen opens the doors of a setting's address: those that were handed to
// us, or else one that it opens.
func (s *sockets) listen(setting string, a config.Address) ([]*door, error) {
	name := doorName(setting, a)
	found, err := s.handed.take(name, a)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 && a.Network == byName {
		return nil, s.handed.none(a.Addr)
	}
	if len(found) == 0 {
		ln, err := open(a)
		if err != nil {
			return nil, err
		}
		found = []*door{{ln, name, true}}
	}
	s.open = append(s.open, found...)
	return found, nil
}

// open listens on a. A Unix socket that nobody listens on is what a process
// left that was killed, and is replaced.
func open(a config.Address) (net.Listener, error) {
	ln, err := net.Listen(a.Network, a.Addr)
	if err == nil || a.Network != "unix" || !errors.Is(err, syscall.EADDRINUSE) {
		return ln, err
	}
	if nc, dialed := net.Dial("unix", a.Addr); dialed == nil {
		_ = nc.Close()
		return nil, err
	} else if !errors.Is(dialed, syscall.ECONNREFUSED) {
		return nil, err
	}
	if err := os.Remove(a.Addr); err != nil {
		return nil, err
	}
	return net.Listen(a.Network, a.Addr)
}

// gate lets nobody in before it is opened: who connects meanwhile waits in the
// kernel's queue, or is taken by the process that is there already.
type gate struct {
	net.Listener
	open <-chan struct{}
	gone chan struct{}
	once sync.Once
}

// guarded is ln behind a gate, where another process serves it still.
func (s *sockets) guarded(ln net.Listener) net.Listener {
	if s.enter == nil {
		return ln
	}
	return &gate{Listener: ln, open: s.enter, gone: make(chan struct{})}
}

func (g *gate) Accept() (net.Conn, error) {
	select {
	case <-g.open:
		return g.Listener.Accept()
	case <-g.gone:
		return nil, net.ErrClosed
	}
}

func (g *gate) Close() error {
	g.once.Do(func() { close(g.gone) })
	return g.Listener.Close()
}

// Sockets are all that are open, for a process that is to go on with them. The
// descriptors are copies and the caller's to close, the error's, too. It may be
// called again if nothing comes of that.
func (s *Server) Sockets() (all []Socket, err error) {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	for _, one := range s.sockets.open {
		fd, err := copied(one.Listener)
		if err != nil {
			return all, fmt.Errorf("%s: %w", one.name, err)
		}
		all = append(all, Socket{one.name, one.made, fd})
	}
	s.sockets.endRelays()
	for _, pc := range s.http3.sockets {
		fd, err := copied(pc)
		if err != nil {
			return all, fmt.Errorf("--http3 %s: %w", pc.LocalAddr(), err)
		}
		all = append(all, Socket{"--http3 " + pc.LocalAddr().String(), pc.made, fd})
		l, other, err := pair(pc.LocalAddr(), pc.tags())
		if err != nil {
			return all, fmt.Errorf("--http3 %s: %w", pc.LocalAddr(), err)
		}
		s.sockets.relays, all = append(s.sockets.relays, l), append(all, other)
	}
	return all, nil
}

// endRelays closes those to a process that never came.
func (s *sockets) endRelays() {
	for _, l := range s.relays {
		_ = l.nc.Close()
	}
	s.relays = nil
}

// copied is a descriptor of what x has open. (*net.TCPListener).File would do,
// but what os.StartProcess makes of a File is a blocking descriptor, for all
// who share the socket.
func copied(x any) (fd int, err error) {
	c, ok := x.(syscall.Conn)
	if !ok {
		return 0, fmt.Errorf("BUG: %T has no descriptor", x)
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	failed := raw.Control(func(of uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, err = syscall.Dup(int(of)); err == nil {
			syscall.CloseOnExec(fd)
		}
	})
	return fd, errors.Join(err, failed)
}

// Enter takes clients, where the process that we are to replace has left.
func (s *Server) Enter() {
	k := &s.sockets
	k.once.Do(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, one := range k.open {
			one.keepFile(!one.made)
		}
		if k.enter != nil {
			close(k.enter)
		}
	})
}

// Leave is for when another process has our sockets and is about to Enter:
// their files stay, and so does the cache's, which is not what that process
// knows to be purged. The context of Run is to end at once.
func (s *Server) Leave() {
	s.sockets.mu.Lock()
	defer s.sockets.mu.Unlock()
	for _, one := range s.sockets.open {
		one.keepFile(true)
	}
	for i, pc := range s.http3.sockets {
		if i < len(s.sockets.relays) {
			pc.handOn(s.sockets.relays[i])
		}
	}
	s.sockets.left = true
}

// patience is how long clients that have connected and say nothing are left
// alone by a drain. Where nobody else takes connections, a stop is not to wait
// for them; where somebody does, nothing is to be lost: their next request may
// be on its way, and its answer tells them to come back by another connection.
func (s *Server) patience() time.Duration {
	if !s.sockets.left {
		return 0
	}
	return min(s.conf.Drain/4, 5*time.Second)
}

// keepFile says whether a Unix socket's file outlives it.
func (d *door) keepFile(keep bool) {
	if u, ok := d.Listener.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(!keep)
	}
}

// upgradeNow is Upgrade for the admin pages.
func (s *Server) upgradeNow() (answer any, status int, err error) {
	if s.Upgrade == nil {
		return nil, 404, errors.New("this process cannot be replaced")
	}
	pid, err := s.Upgrade()
	if err != nil {
		return nil, 502, fmt.Errorf("not upgraded, all goes on as it was: %w", err)
	}
	return struct {
		Pid int `json:"pid"`
	}{pid}, 200, nil
}
