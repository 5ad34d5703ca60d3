//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// A Baseline is what everything did cost.
type Baseline struct {
	Machine string // compiler and kind of machine that its instructions are of
	by      map[string]map[string]float64
}

// here is the Machine of this program. A compiler's corrections change little.
func here() string {
	version := strings.SplitN(runtime.Version(), ".", 3)
	return strings.Join(version[:min(2, len(version))], ".") + " " + runtime.GOOS + "/" + runtime.GOARCH
}

const header = "# What each hot thing costs, each time. scripts/gate compares, scripts/gate -update writes this anew.\n"

func readBaseline(path string) (*Baseline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: scripts/gate -update makes one", err)
	}
	b, err := parseBaseline(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// parseBaseline reads lines "machine NAME", then "SCENE FIGURE VALUE".
func parseBaseline(text []byte) (*Baseline, error) {
	b := &Baseline{by: map[string]map[string]float64{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "machine "); ok {
			b.Machine = name
			continue
		}
		words := strings.Fields(line)
		if len(words) != 3 {
			return nil, fmt.Errorf("line %d: %q: want SCENE FIGURE VALUE", n, line)
		}
		v, err := strconv.ParseFloat(words[2], 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: %q is no number", n, words[2])
		}
		b.set(words[0], words[1], v)
	}
	return b, lines.Err()
}

func (b *Baseline) set(scene, figure string, v float64) {
	if b.by[scene] == nil {
		b.by[scene] = map[string]float64{}
	}
	b.by[scene][figure] = v
}

// text is the file, in the order of the tables.
func (b *Baseline) text() []byte {
	out := []byte(header + "machine " + b.Machine + "\n")
	out = b.appendScene(out, wholeProgram)
	for _, sc := range scenes {
		out = b.appendScene(out, sc.name)
	}
	return out
}

func (b *Baseline) appendScene(out []byte, name string) []byte {
	out = append(out, '\n')
	for _, f := range figures {
		if v, ok := b.by[name][f.name]; ok {
			out = fmt.Appendf(out, "%-14s %-12s %.*f\n", name, f.name, f.digits, v)
		}
	}
	return out
}
