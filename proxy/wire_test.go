// Wire scripts: what the client sends, what the origin must see and answers,
// what the client must get. Raw bytes, both sides scripted, one proxy process
// per case. The scripts are testdata/wire/*.txt; testdata/wire/README.md
// explains how to read and write them.
//
//	go test ./proxy -run TestWire                        all of them on the multiserver binary
//	go test ./proxy -run 'TestWire/hosts'                one file, or one case by its name
//	WIRE_FRONT=nginx go test ./proxy -run TestWire       on nginx, haproxy or reverseproxy instead
//	WIRE_PEERS=1 go test ./proxy -run TestWirePeers -v   on all of those; prints where every one disagrees
package proxy_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Cases mostly wait: for a pause, a deadline, the silence after an answer. So
// many more of them run at once than there are cores. A -parallel on the
// command line still wins, because it is parsed after this.
func init() {
	testing.Init()
	if err := flag.Set("test.parallel", "24"); err != nil {
		panic(err)
	}
}

func TestWire(t *testing.T) {
	front := frontFor(t, os.Getenv("WIRE_FRONT"))
	for _, f := range loadScripts(t) {
		t.Run(f.name, func(t *testing.T) {
			for _, s := range f.scripts {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					switch err := play(t, s, front); {
					case errors.Is(err, errUnsupported):
						t.Skip(err)
					case err != nil:
						t.Error(err)
					}
				})
			}
		})
	}
}

// TestWirePeers is the cross-check: a script that nginx, HAProxy and Go's
// ReverseProxy all fail is wrong or interesting. It judges the scripts, not
// the peers, so it prints a table and never fails for what a peer did.
func TestWirePeers(t *testing.T) {
	if os.Getenv("WIRE_PEERS") == "" {
		t.Skip("set WIRE_PEERS=1 to run every wire script on nginx, haproxy and httputil.ReverseProxy")
	}
	peers := []string{"nginx", "haproxy", "reverseproxy"}
	files := loadScripts(t)
	scores := newScores()
	t.Run("peers", func(t *testing.T) { // returns when every parallel case in it is done
		for _, peer := range peers {
			front := frontFor(t, peer)
			for _, f := range files {
				for _, s := range f.scripts {
					t.Run(peer+"/"+f.name+"/"+s.name, func(t *testing.T) {
						t.Parallel()
						scores.add(s, peer, play(t, s, front))
					})
				}
			}
		}
	})
	t.Log(scores.table(files, peers))
}

// scripts is the folder of the wire scripts and of the files their flags name.
const scripts = "testdata/wire"

func loadScripts(t *testing.T) []*scriptFile {
	t.Helper()
	paths, err := filepath.Glob(scripts + "/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no wire scripts: %v", err)
	}
	var files []*scriptFile
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parseScripts(filepath.Base(path), string(text))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// scores remembers how each case went on each peer.
type scores struct {
	mu  sync.Mutex
	got map[*script]map[string]error // nil: passed
}

func newScores() *scores { return &scores{got: map[*script]map[string]error{}} }

func (s *scores) add(c *script, peer string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.got[c] == nil {
		s.got[c] = map[string]error{}
	}
	s.got[c][peer] = err
}

// table shows per file how many cases each peer passed, and then every case
// that none passed, with what each did instead.
func (s *scores) table(files []*scriptFile, peers []string) string {
	var out, alone strings.Builder
	total := map[string]int{}
	cases := 0
	fmt.Fprintf(&out, "\n%-34s %6s", "file", "cases")
	for _, p := range peers {
		fmt.Fprintf(&out, " %13s", p)
	}
	for _, f := range files {
		passed := map[string]int{}
		for _, c := range f.scripts {
			nobody := true
			for _, p := range peers {
				if err := s.got[c][p]; err == nil {
					passed[p]++
					nobody = false
				} else if errors.Is(err, errUnsupported) {
					nobody = false
				}
			}
			if !nobody {
				continue
			}
			fmt.Fprintf(&alone, "\n%s:%d: %s\n", f.name, c.line, c.name)
			for _, p := range peers {
				first, _, _ := strings.Cut(s.got[c][p].Error(), "\n")
				fmt.Fprintf(&alone, "  %13s: %s\n", p, first)
			}
		}
		fmt.Fprintf(&out, "\n%-34s %6d", f.name, len(f.scripts))
		for _, p := range peers {
			fmt.Fprintf(&out, " %13d", passed[p])
			total[p] += passed[p]
		}
		cases += len(f.scripts)
	}
	fmt.Fprintf(&out, "\n%-34s %6d", "all", cases)
	for _, p := range peers {
		fmt.Fprintf(&out, " %13d", total[p])
	}
	return out.String() + "\n\n(a flag that a peer does not have counts against it)\n\nno peer does what these cases ask:\n" + alone.String()
}
