//go:build linux

package main

import (
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"multiserver/bench/app"
)

// An Origin is an App as a process that can be ended and started again in the same place.
type Origin struct {
	*Process
	app.Options
	control int
	f       *Field
	names   *names // who knows it by name; nil: it is called by its address
}

// origin starts one.
func (f *Field) origin(o app.Options) (*Origin, error) {
	g := &Origin{Options: o, f: f}
	var err error
	if g.control, err = freePort(); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	g.Control = fmt.Sprintf("%s:%d", loopback, g.control)
	return g, g.start(loopback, port)
}

func (g *Origin) start(host string, port int) (err error) {
	g.Addr = fmt.Sprintf("%s:%d", host, port)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	g.Process, err = g.f.start("origin-"+g.ID, g.f.LoadCPUs, host, port, append([]string{self, "app"}, g.Args()...), "GOMAXPROCS=1")
	return err
}

// again starts it in the same place after its end.
func (g *Origin) again() error {
	<-g.gone
	return g.start(g.Host, g.Port)
}

// name is what it is called from outside.
func (g *Origin) name() string { return g.ID + ".bench." }

// called has ns know it.
func (g *Origin) called(ns *names) {
	g.names = ns
	ns.set(g.name(), netip.MustParseAddr(g.Host))
}

// host is by what a proxy reaches it.
func (g *Origin) host() string {
	if g.names != nil {
		return g.name()
	}
	return g.Host
}

// elsewhere is where an origin moves to; all of 127.0.0.0/8 is this machine on Linux.
const elsewhere = "127.0.0.2"

// move ends it where it is, with all that is under way, and starts it at another address, which its
// name means from then on.
func (g *Origin) move() error {
	if err := syscall.Kill(g.pid(), syscall.SIGKILL); err != nil {
		return err
	}
	<-g.gone
	if err := g.start(elsewhere, g.Port); err != nil {
		return err
	}
	g.called(g.names)
	return nil
}

// be tells it how to fail from now on.
func (g *Origin) be(m app.Mode) error {
	c := http.Client{Timeout: 2 * time.Second}
	res, err := c.Get("http://" + g.Control + "/" + m.String())
	if err != nil {
		return fmt.Errorf("%s: %w", g.Name, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s does not become %s: %s", g.Name, m, res.Status)
	}
	return nil
}

// start starts a process with a folder of its own, and remembers it.
func (f *Field) start(name, cpus, host string, port int, argv []string, env ...string) (*Process, error) {
	dir := filepath.Join(f.Dir, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	p, err := start(name, cpus, dir, host, port, argv, env)
	if err == nil {
		f.procs = append(f.procs, p)
	}
	return p, err
}

func (f *Field) stopAll() {
	for _, p := range f.procs {
		p.stop()
	}
}

// A contestant is a proxy before several origins, and how it is to be set up.
type contestant struct {
	Name    string
	Program string // ours, nginx or haproxy
	Balance string // in the program's own words
	Max     int    // at once at each origin; 0: all
	Queue   time.Duration
	Args    []string // ours: further ones

	hosts []string // of its origins
}

// enter starts a contestant.
func (f *Field) enter(c contestant, origins []*Origin) (*Process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	at := place{Dir: filepath.Join(f.Dir, c.Name), Port: port, Balance: c.Balance, Max: c.Max, Queue: c.Queue}
	if err := os.MkdirAll(at.Dir, 0o755); err != nil {
		return nil, err
	}
	for _, g := range origins {
		at.Origins = append(at.Origins, g.Port)
		c.hosts = append(c.hosts, g.host())
	}
	argv, err := f.argv(c, at)
	if err != nil {
		return nil, err
	}
	return f.start(c.Name, f.CPU, loopback, port, argv, "GOMAXPROCS=1")
}

func (f *Field) argv(c contestant, at place) ([]string, error) {
	switch c.Program {
	case "nginx":
		conf, err := fill("nginx-pool.conf", at)
		return []string{"nginx", "-p", at.Dir, "-e", filepath.Join(at.Dir, "nginx-start.log"), "-c", conf}, err
	case "haproxy":
		conf, err := fill("haproxy-pool.cfg", at)
		return []string{"haproxy", "-db", "-f", conf}, err
	}
	argv := []string{f.Ours.Path, "--listen", fmt.Sprintf("127.0.0.1:%d", at.Port), "--access-log", "off"}
	for i, port := range at.Origins {
		u := fmt.Sprintf("http://%s:%d", c.hosts[i], port)
		if c.Max > 0 {
			u += fmt.Sprintf(";max=%d", c.Max)
		}
		argv = append(argv, "--upstream", u)
	}
	if c.Balance != "" {
		argv = append(argv, "--balance", c.Balance)
	}
	if c.Queue > 0 {
		argv = append(argv, "--queue-timeout", c.Queue.String())
	}
	return append(argv, c.Args...), nil
}

// others is what all that is not part of the measure has used of this machine so far.
func (f *Field) others() (time.Duration, error) {
	sum, err := machineBusy()
	if err != nil {
		return 0, err
	}
	self, err := cpuClock(os.Getpid())
	if err != nil {
		return 0, err
	}
	sum -= self
	for _, p := range f.procs {
		if u, err := usage(p.pid()); err == nil { // else it has ended
			sum -= u.CPU
		}
	}
	return sum, nil
}

// get is a request for a path, as bytes.
func get(path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: bench\r\n\r\n")
}

// post is one whose body is its tag, the path's last part.
func post(path string) []byte {
	tag := path[strings.LastIndexByte(path, '/')+1:]
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%s", path, len(tag), tag)
}

// ms prints a duration in milliseconds.
func ms(d time.Duration) string { return fixed(float64(d)/1e6, 2) }
