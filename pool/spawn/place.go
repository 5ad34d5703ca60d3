package spawn

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// place is where a child is to listen.
type place struct {
	instance int
	port     int      // 0: none was given
	socket   string   // a path; "": none was given
	handed   *os.File // a listener at one of them; nil: it opens its own
}

// ports are those that children of this process have.
var ports = struct {
	sync.Mutex
	taken map[int]bool
}{taken: make(map[int]bool)}

// The ports of children are below those that most kernels give to whoever
// connects somewhere (from 32768): between the moment that one is found free and
// the moment that the child listens, nobody else is given it by chance.
const firstPort, lastPort = 20000, 32767

// freePort finds a port on loopback that nobody listens on, and keeps it from
// other children.
func freePort() (int, error) {
	ports.Lock()
	defer ports.Unlock()
	var last error
	for range 200 {
		port := firstPort + rand.N(lastPort-firstPort+1)
		if ports.taken[port] {
			continue
		}
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		_ = ln.Close()
		ports.taken[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("no free port from %d to %d: %w", firstPort, lastPort, last)
}

func (a *App) newPlace(instance int, serial uint64) (*place, error) {
	p := &place{instance: instance}
	if a.opt.Socket || !a.opt.Handed {
		p.socket = fmt.Sprintf("%s/%d-%d.sock", a.dir, instance, serial)
	}
	if !a.opt.Socket {
		var err error
		if p.port, err = freePort(); err != nil {
			return nil, err
		}
	}
	if a.opt.Handed {
		if err := p.open(a.as); err != nil {
			p.free()
			return nil, err
		}
	}
	return p, nil
}

// open listens in the child's stead.
func (p *place) open(as *owner) (err error) {
	var ln net.Listener
	if p.socket != "" {
		ln, err = net.Listen("unix", p.socket)
	} else {
		ln, err = net.Listen("tcp", p.tcp("127.0.0.1"))
	}
	if err != nil {
		return err
	}
	defer ln.Close()
	if l, ok := ln.(*net.UnixListener); ok {
		l.SetUnlinkOnClose(false)
		if as != nil {
			_ = os.Chown(p.socket, int(as.uid), int(as.gid))
		}
	}
	p.handed, err = ln.(interface{ File() (*os.File, error) }).File()
	return err
}

// started closes what is the child's alone now.
func (p *place) started() {
	if p.handed != nil {
		_ = p.handed.Close()
	}
}

// free gives the place back.
func (p *place) free() {
	if p.port > 0 {
		ports.Lock()
		delete(ports.taken, p.port)
		ports.Unlock()
	}
	if p.socket != "" {
		_ = os.Remove(p.socket)
	}
	p.started()
}

func (p *place) tcp(host string) string { return net.JoinHostPort(host, strconv.Itoa(p.port)) }

// env tells a child of its place. An app that only knows PORT finds no other's
// there.
func (p *place) env() (env []string) {
	if p.port > 0 {
		env = append(env, "PORT="+strconv.Itoa(p.port))
	}
	if p.socket != "" {
		env = append(env, "MULTISERVER_SOCKET="+p.socket)
	}
	return env
}

// fill puts the place into a command's words.
func (p *place) fill(words []string) []string {
	r := strings.NewReplacer("{port}", strconv.Itoa(p.port), "{socket}", p.socket, "{instance}", strconv.Itoa(p.instance))
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = r.Replace(w)
	}
	return out
}

// at is an address to be tried.
type at struct{ network, addr string }

// all are the addresses where the child may be found. localhost is ::1 alone
// to some runtimes.
func (p *place) all() (all []at) {
	if p.socket != "" {
		all = append(all, at{"unix", p.socket})
	}
	if p.port > 0 {
		all = append(all, at{"tcp", p.tcp("127.0.0.1")}, at{"tcp", p.tcp("::1")})
	}
	return all
}

func (p *place) String() string {
	var s []string
	if p.port > 0 {
		s = append(s, p.tcp("127.0.0.1")+" (PORT)")
	}
	if p.socket != "" {
		s = append(s, p.socket+" (MULTISERVER_SOCKET)")
	}
	return strings.Join(s, " nor at ")
}
