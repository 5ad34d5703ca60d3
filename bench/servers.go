//go:build linux

package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed floor/floor.c
var floorSource []byte

//go:embed peers
var peers embed.FS

// A Server is a program under test and how to start it.
type Server struct {
	Name string // as in the report
	Path string // the program
	Peer bool   // one that all are compared with
	Ours bool   // takes --admin and can be profiled
	args func(at place) ([]string, error)
	env  []string
}

// A place is what a server is told when it starts.
type place struct {
	Dir    string // for its files
	Port   int    // where to listen
	Origin int    // what to forward to
	Admin  int    // ours: where to serve profiles; 0: nowhere
	Plain  bool   // peers: leave out what is set for large bodies
	Cache  int    // MiB for stored answers, of the floors: give the answer without an origin; 0: none
	Large  bool   // peers: set up for large stored answers

	Origins []int         // peers before several: instead of Origin
	Balance string        // how they choose
	Max     int           // at once at each; 0: all
	Queue   time.Duration // how long a request may wait for a place
}

func (s *Server) start(cpus string, at place) (*Process, error) {
	args, err := s.args(at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return start(s.Name, cpus, at.Dir, loopback, at.Port, append([]string{s.Path}, args...), s.env)
}

// cacheSize is the memory for stored answers in a scenario of hits, in MiB.
const cacheSize = 256

// ours is a multiserver binary with further arguments.
func ours(name, path string, more []string) *Server {
	return &Server{Name: name, Path: path, Ours: true,
		env: []string{"GOMAXPROCS=1"}, // one core, as for the others
		args: func(at place) ([]string, error) {
			args := []string{
				"--listen", fmt.Sprintf("127.0.0.1:%d", at.Port),
				"--upstream", fmt.Sprintf("http://127.0.0.1:%d", at.Origin),
				"--access-log", "off",
			}
			if at.Cache > 0 {
				args = append(args, "--cache", fmt.Sprintf("%dMiB", at.Cache))
			}
			if at.Admin > 0 {
				args = append(args, "--admin", fmt.Sprintf("127.0.0.1:%d", at.Admin))
			}
			return append(args, more...), nil
		}}
}

// nginx and haproxy take a configuration of bench/peers/, or a file to compare with it. Called
// nginx-plain and haproxy-plain they run with keep-alive well set, and else as they come.
func nginx(name, conf string) *Server {
	return &Server{Name: name, Path: "nginx", Peer: name == "nginx", args: func(at place) ([]string, error) {
		at.Plain = strings.HasSuffix(name, "-plain")
		conf, err := fill(conf, at)
		return []string{"-p", at.Dir, "-e", filepath.Join(at.Dir, "nginx-start.log"), "-c", conf}, err
	}}
}

func haproxy(name, conf string) *Server {
	return &Server{Name: name, Path: "haproxy", Peer: name == "haproxy", args: func(at place) ([]string, error) {
		at.Plain = strings.HasSuffix(name, "-plain")
		conf, err := fill(conf, at)
		return []string{"-db", "-f", conf}, err
	}}
}

// varnish is set up here as far as its VCL cannot: it has a thread for each connection that is not
// idle for long.
func varnish() *Server {
	return &Server{Name: "varnish", Path: "varnishd", Peer: true, args: func(at place) ([]string, error) {
		vcl, err := fill("varnish.vcl", at)
		return []string{
			"-F", "-n", filepath.Join(at.Dir, "varnish"), "-f", vcl,
			"-a", fmt.Sprintf("127.0.0.1:%d", at.Port),
			"-j", "none", // no rights question in the temporary folder
			"-s", fmt.Sprintf("malloc,%dm", max(at.Cache, 1)),
			"-p", "thread_pools=1", // one core, as for every server under test
			"-p", "thread_pool_min=600", // made before they are needed, for twice as many clients as there are
			"-p", "thread_pool_max=5000",
			"-p", "listen_depth=4096", // all clients may come at once
			"-p", "timeout_idle=75", // longer than the others' turns between two of its rounds
			"-p", "vsl_mask=" + unlogged, // access log off, as for the others: an eighth of the price of a hit
			"-p", "auto_restart=off", // one that fails is not to be measured
		}, err
	}}
}

// unlogged is what Varnish writes into its log in memory for each request, switched off.
const unlogged = "-Begin,-End,-Link,-ReqStart,-ReqMethod,-ReqURL,-ReqProtocol,-ReqHeader,-ReqUnset,-ReqAcct," +
	"-RespProtocol,-RespStatus,-RespReason,-RespHeader,-RespUnset,-VCL_call,-VCL_return,-Hit,-Timestamp,-Filters," +
	"-SessOpen,-SessClose"

// self is the floor of programs in Go: this one once more (answer.go).
func self() *Server {
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	return &Server{Name: "floor-go", Path: path, env: []string{"GOMAXPROCS=1"}, args: func(at place) ([]string, error) {
		if at.Cache == 0 {
			return nil, fmt.Errorf("it answers by itself: only for hit scenarios")
		}
		return []string{"answer", strconv.Itoa(at.Port), strconv.Itoa(at.Origin)}, nil
	}}
}

func relay(name, program string) *Server {
	return &Server{Name: name, Path: program, Peer: name == "floor", args: func(at place) ([]string, error) {
		if at.Cache > 0 {
			return []string{"origin", strconv.Itoa(at.Port)}, nil
		}
		return []string{"relay", strconv.Itoa(at.Port), strconv.Itoa(at.Origin)}, nil
	}}
}

// fill writes the configuration with the place's ports into the place's folder.
func fill(conf string, at place) (string, error) {
	text, err := peers.ReadFile("peers/" + conf)
	if err != nil {
		text, err = os.ReadFile(conf)
	}
	if err != nil {
		return "", err
	}
	t, err := template.New(conf).Parse(string(text))
	if err != nil {
		return "", err
	}
	path := filepath.Join(at.Dir, filepath.Base(conf))
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	if err := t.Execute(f, at); err != nil {
		f.Close()
		return "", err
	}
	return path, f.Close()
}

// line puts together the servers under test, in the order asked for. The word "multiserver"
// stands for all the given binaries, or for one built from this module if none is given.
func line(ctx context.Context, names string, binaries []string, floor, dir string) ([]*Server, error) {
	if len(binaries) == 0 {
		binaries = []string{"multiserver=."}
	}
	var all []*Server
	for _, name := range strings.Split(names, ",") {
		name, file, own := strings.Cut(strings.TrimSpace(name), "=")
		switch {
		case name == "multiserver":
			for _, b := range binaries {
				s, err := binary(ctx, b, dir)
				if err != nil {
					return nil, err
				}
				all = append(all, s)
			}
		case (name == "nginx" || name == "nginx-plain") && !own:
			all = append(all, nginx(name, "nginx.conf"))
		case (name == "haproxy" || name == "haproxy-plain") && !own:
			all = append(all, haproxy(name, "haproxy.cfg"))
		case name == "varnish" && !own:
			all = append(all, varnish())
		case name == "floor" && !own:
			all = append(all, relay(name, floor))
		case name == "floor-go" && !own:
			all = append(all, self())
		case strings.HasSuffix(file, ".conf"):
			all = append(all, nginx(name, file))
		case strings.HasSuffix(file, ".cfg"):
			all = append(all, haproxy(name, file))
		case own:
			all = append(all, relay(name, file))
		default:
			return nil, fmt.Errorf("-servers %s: %q is none of multiserver, nginx, nginx-plain, haproxy, haproxy-plain, varnish, floor, floor-go, nor NAME=FILE.conf for nginx or NAME=FILE.cfg for HAProxy", names, name)
		}
	}
	seen := map[string]bool{}
	for _, s := range all {
		if seen[s.Name] {
			return nil, fmt.Errorf("two servers are called %s: give each -binary a name, as in -binary old=PATH -binary new=PATH", s.Name)
		}
		seen[s.Name] = true
		if _, err := exec.LookPath(s.Path); err != nil {
			return nil, fmt.Errorf("%s: %w; scripts/bench installs what is missing, or leave it out by -servers", s.Name, err)
		}
	}
	return all, nil
}

// binary reads "[NAME=]PROGRAM [ARGUMENT…]", where PROGRAM is a file, "." for this module as it
// lies here, or "@COMMIT" for this module as it was.
func binary(ctx context.Context, spec, dir string) (*Server, error) {
	words := strings.Fields(spec)
	if len(words) == 0 {
		return nil, fmt.Errorf("-binary is empty: want [NAME=]PATH, [NAME=]@COMMIT or [NAME=]. for this folder")
	}
	name, program, named := strings.Cut(words[0], "=")
	if !named {
		name, program = "multiserver", words[0]
	}
	var err error
	switch {
	case program == ".":
		program, err = buildHere(ctx, name, dir)
	case strings.HasPrefix(program, "@"):
		program, err = buildCommit(ctx, name, program[1:], dir)
	default:
		program, err = filepath.Abs(program)
	}
	if err != nil {
		return nil, err
	}
	return ours(name, program, words[1:]), nil
}
