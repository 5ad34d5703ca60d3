package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"multiserver/proxy/config"
)

// Handed are sockets that were open before this process began.
type Handed struct {
	Sockets []Socket

	// Heir: they are of a process of ours that serves there still, until it is
	// told that we can. Else they are a service manager's, and each was meant
	// for something.
	Heir bool
}

// Socket is one that passes from process to process.
type Socket struct {
	Name string // what it is for: a setting and its address, or a service manager's word
	Made bool   // by a process of ours: the file of a Unix socket is removed at the end
	FD   int    // whoever has the Socket closes it
}

// byName is the network of addresses such as fd:web, which a service manager
// has opened and given a name.
const byName = "fd"

func (s *sockets) begin(on Handed) {
	if s.handed = on; on.Heir {
		s.enter = make(chan struct{})
	}
}

// take takes out what was handed for a: by the name that a process of ours
// knew it by, by that which a says, of which there may be several, or by where
// it is bound.
func (h *Handed) take(name string, a config.Address) (found []*door, err error) {
	all := a.Network == byName
	for i := 0; i < len(h.Sockets); {
		one := h.Sockets[i]
		if !h.suits(one, name, a) {
			i++
			continue
		}
		h.Sockets = slices.Delete(h.Sockets, i, i+1)
		ln, failed := listenerOf(one)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		found = append(found, &door{ln, name, one.Made})
		if !all {
			break
		}
	}
	return found, err
}

func (h *Handed) suits(one Socket, name string, a config.Address) bool {
	switch {
	case h.Heir && one.Name == name:
		return true
	case a.Network == byName:
		return !h.Heir && one.Name == a.Addr && one.streams()
	}
	return one.streams() && a.Addr != "" && boundTo(one.FD, a)
}

func (one Socket) streams() bool {
	kind, err := syscall.GetsockoptInt(one.FD, syscall.SOL_SOCKET, syscall.SO_TYPE)
	return err == nil && kind == syscall.SOCK_STREAM
}

// listenerOf has the runtime look after one, whose descriptor is closed.
func listenerOf(one Socket) (net.Listener, error) {
	f := os.NewFile(uintptr(one.FD), one.Name)
	defer f.Close()
	ln, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d (%s), handed over at the start: %w", one.FD, one.Name, err)
	}
	return ln, nil
}

// boundTo tells whether fd is bound to a.
func boundTo(fd int, a config.Address) bool {
	at, err := syscall.Getsockname(fd)
	if err != nil {
		return false
	}
	if u, ok := at.(*syscall.SockaddrUnix); ok {
		return a.Network == "unix" && u.Name == a.Addr
	}
	want, err := net.ResolveTCPAddr("tcp", a.Addr)
	if a.Network != "tcp" || err != nil {
		return false
	}
	ip, port := endOf(at)
	return port == want.Port && (ip.Equal(want.IP) || ip.IsUnspecified() && (want.IP == nil || want.IP.IsUnspecified()))
}

func endOf(at syscall.Sockaddr) (net.IP, int) {
	switch a := at.(type) {
	case *syscall.SockaddrInet4:
		return a.Addr[:], a.Port
	case *syscall.SockaddrInet6:
		return a.Addr[:], a.Port
	}
	return nil, 0
}

// none is the error where there is no socket of a name.
func (h *Handed) none(name string) error {
	if len(h.Sockets) == 0 {
		return fmt.Errorf("no socket of that name was handed over, want to be started by a service manager's socket with FileDescriptorName=%s", name)
	}
	return fmt.Errorf("no socket of that name was handed over, only %s", h.names())
}

func (h *Handed) names() string {
	var names []string
	for _, one := range h.Sockets {
		names = append(names, one.Name)
	}
	return strings.Join(names, ", ")
}

// rest closes what was handed over and nobody wants. What a process of ours had
// is not wanted any more; but a service manager's socket takes connections,
// and nobody would serve them.
func (s *sockets) rest(log *slog.Logger) (err error) {
	for _, one := range s.handed.Sockets {
		switch at, _ := syscall.Getsockname(one.FD); {
		case s.handed.Heir:
			log.Info("not listening there any more", "socket", one.Name)
		default:
			err = errors.Join(err, fmt.Errorf("socket %s (%s) was handed over, and no setting leads there: want --listen fd:%s, or its address", one.Name, boundAt(at), one.Name))
		}
	}
	s.handed.close()
	return err
}

func boundAt(at syscall.Sockaddr) string {
	if u, ok := at.(*syscall.SockaddrUnix); ok {
		return "unix:" + u.Name
	}
	ip, port := endOf(at)
	return (&net.TCPAddr{IP: ip, Port: port}).String()
}

func (h *Handed) close() {
	for _, one := range h.Sockets {
		_ = syscall.Close(one.FD)
	}
	h.Sockets = nil
}

// abandon closes everything, for a start that failed. Files are left to the
// process that serves there still.
func (s *sockets) abandon() {
	s.handed.close()
	for _, one := range s.open {
		_ = one.Close()
	}
}
