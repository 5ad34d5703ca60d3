//go:build linux

package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	cpus string // where it runs, if not where all do
}

// A place is what a server is told when it starts.
type place struct {
	Dir    string // for its files
	Memory string // for files that are to lie in memory; "": as the others
	Port   int    // where to listen
	Origin int    // what to forward to
	Admin  int    // ours: where to serve profiles; 0: nowhere
	Plain  bool   // peers: leave out what is set for large bodies
	Cache  int    // MiB for stored answers, of the floors: give the answer without an origin; 0: none
	Large  bool   // peers: set up for large stored answers
	Cores  int    // peers: threads or workers; 0: one

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
	if s.cpus != "" {
		cpus = s.cpus
	}
	return start(s.Name, cpus, at.Dir, loopback, at.Port, append([]string{s.Path}, args...), s.env)
}

// cacheSize is the memory for stored answers in a scenario of hits, in MiB.
const cacheSize = 256

// ours is a multiserver binary with further arguments, before which there may be
// options of its upstream: ";pipeline=16".
func ours(name, path string, more []string) *Server {
	options := ""
	if len(more) > 0 && strings.HasPrefix(more[0], ";") {
		options, more = more[0], more[1:]
	}
	return &Server{Name: name, Path: path, Ours: true,
		env: []string{"GOMAXPROCS=1"}, // one core, as for the others
		args: func(at place) ([]string, error) {
			args := []string{
				"--listen", fmt.Sprintf("127.0.0.1:%d", at.Port),
				"--upstream", fmt.Sprintf("http://127.0.0.1:%d%s", at.Origin, options),
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
		if name = strings.TrimSpace(name); name == "multiserver" {
			for _, b := range binaries {
				s, err := binary(ctx, b, dir)
				if err != nil {
					return nil, err
				}
				all = append(all, s)
			}
			continue
		}
		s, err := peer(ctx, name, floor, dir)
		if err != nil {
			return nil, fmt.Errorf("-servers %s: %w", names, err)
		}
		all = append(all, s)
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
