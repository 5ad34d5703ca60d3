//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// The kernel ties "stop when my parent ends" to the parent's thread, not to its process: all
// processes are started by the main goroutine, and that one never leaves the main thread.
func init() { runtime.LockOSThread() }

// A Process is one that we started, with a process group of its own, pinned to some CPUs.
type Process struct {
	Name string
	Port int    // where it listens
	Host string // on which address

	cmd  *exec.Cmd
	log  string        // the file that has what it printed
	gone chan struct{} // closed when it has ended
}

// loopback is where all listen, but for an origin that has moved.
const loopback = "127.0.0.1"

// start runs argv on the given CPUs (a list as taskset takes it). What it prints goes to a
// file, not a pipe: nobody has to read it in time, and nobody waits for a child that holds it.
func start(name, cpus, dir, host string, port int, argv, env []string) (*Process, error) {
	p := &Process{Name: name, Host: host, Port: port, log: filepath.Join(dir, name+".log"), gone: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p.cmd = exec.Command("taskset", append([]string{"-c", cpus}, argv...)...) // it execs: the PID stays
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true,            // Ctrl-C comes to us alone, and we stop things in order
		Pdeathsig: syscall.SIGTERM, // even if we are killed
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.cmd.Wait()
		close(p.gone)
	}()
	if err := p.ready(20 * time.Second); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// ready waits until the process takes connections.
func (p *Process) ready(limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); {
		select {
		case <-p.gone:
			return fmt.Errorf("%s ended at its start (%v); it said:\n%s", p.Name, p.cmd.ProcessState, p.said())
		default:
		}
		if c, err := net.DialTimeout("tcp", p.addr(), time.Second); err == nil {
			return c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("%s does not listen on %s after %v; it said:\n%s", p.Name, p.addr(), limit, p.said())
}

func (p *Process) pid() int     { return p.cmd.Process.Pid }
func (p *Process) addr() string { return fmt.Sprintf("%s:%d", p.Host, p.Port) }

// said returns the end of what the process printed.
func (p *Process) said() string {
	text, _ := os.ReadFile(p.log)
	text = text[max(0, len(text)-2000):]
	return "\t" + strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n\t")
}

// stop ends the process: with a request first, then with its whole group.
func (p *Process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(3 * time.Second):
	}
	syscall.Kill(-p.pid(), syscall.SIGKILL) // the group is ours, and mostly empty by now
	<-p.gone
}

// Ports to listen on are taken from below those that the kernel gives to clients: of ten thousand
// connections one would have the port of a server that is to start next.
const fewestPort, mostPort = 10_000, 32_000

// freePort is one that nobody uses.
func freePort() (int, error) {
	ports, err := freePorts(1)
	if err != nil {
		return 0, err
	}
	return ports[0], nil
}

// freePorts are several, each another one.
func freePorts(n int) (ports []int, err error) {
	for tries := 0; len(ports) < n; tries++ {
		port := fewestPort + rand.IntN(mostPort-fewestPort)
		l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", loopback, port))
		if err != nil {
			if tries > 10*n+100 {
				return nil, fmt.Errorf("free port: %w", err)
			}
			continue
		}
		defer l.Close()
		ports = append(ports, port)
	}
	return ports, nil
}
