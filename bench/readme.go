//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"multiserver/bench/chart"
)

// The marks between which a README has what was measured. All there is made of the sheets, and is
// made again with them: no figure is written by hand.
const measuredFrom, measuredTo = "<!-- measured -->\n", "<!-- /measured -->"

// render draws the charts of the results in dir, and writes the tables into the README.
func render(dir, readme string) error {
	text, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), measuredFrom)
	_, after, ended := strings.Cut(rest, measuredTo)
	if !found || !ended {
		return fmt.Errorf("%s: want the marks %s and %s, each on a line", readme, strings.TrimSpace(measuredFrom), measuredTo)
	}
	seen, err := filepath.Rel(filepath.Dir(readme), dir) // as the README's reader finds it
	if err != nil {
		return err
	}
	said, err := measured(dir, filepath.ToSlash(seen))
	if err != nil {
		return err
	}
	return os.WriteFile(readme, []byte(before+measuredFrom+said+measuredTo+after), 0o644)
}

// A page is what goes into the README.
type page struct {
	bytes.Buffer
	dir, seen string
	behind    []string
	err       error
}

// measured is the text between the marks.
func measured(dir, seen string) (string, error) {
	p := &page{dir: dir, seen: seen}
	for _, part := range []func(*page){
		(*page).forwards, (*page).stored, (*page).latencies, (*page).secured, (*page).messages, (*page).silent, (*page).single, (*page).grown,
	} {
		part(p)
	}
	if len(p.behind) > 0 {
		fmt.Fprintf(p, "**Behind** we are, by more than the measurement may be off: %s.\n", strings.Join(p.behind, "; "))
	}
	return p.String(), p.err
}

// sheet is nil if that was not measured.
func (p *page) sheet(name string) *sheet {
	s, err := readSheet(p.dir, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		p.err = errors.Join(p.err, err)
		return nil
	}
	return s
}

// picture saves a chart beside its figures, and shows it.
func (p *page) picture(name, title string, svg []byte) {
	p.err = errors.Join(p.err, os.WriteFile(filepath.Join(p.dir, name+".svg"), svg, 0o644))
	fmt.Fprintf(p, "![%s](%s/%s.svg)\n\n", title, p.seen, name)
}

// ground says what the figures below were taken on, and where they are.
func (p *page) ground(s *sheet, what string) {
	a := &s.about
	var versions []string
	for _, name := range shownNames {
		if v := short(a.Versions[name[0]]); v != "" && name[0] != "multiserver" {
			versions = append(versions, name[1]+" "+v)
		}
	}
	fmt.Fprintf(p, "%s On %s, %d cores, %s, commit %s, %s; %s. %d rounds of %g s; figures: `%s/%s.csv`.\n\n",
		what, a.CPU, a.Cores, a.Kernel, a.Commit, a.Time.Format("2 January 2006"), strings.Join(versions, ", "), a.Rounds, a.Seconds, p.seen, s.name)
}

// shownNames are how servers call themselves.
var shownNames = [][2]string{{"multiserver", "multiserver"}, {"nginx", "nginx"}, {"haproxy", "HAProxy"}, {"varnish", "Varnish"}, {"caddy", "Caddy"},
	{"traefik", "Traefik"}, {"fasthttp", "fasthttp"}, {"floor", "floor"}, {"floor-go", "floor, Go"}, {"nginx-plain", "nginx, plain"}, {"haproxy-plain", "HAProxy, plain"}}

func shown(server string) string {
	for _, n := range shownNames {
		if n[0] == server {
			return n[1]
		}
	}
	return server
}

// short is the number in what a program says of its version.
func short(said string) string {
	for _, word := range strings.FieldsFunc(said, func(r rune) bool { return strings.ContainsRune(" /-+()", r) }) {
		word = strings.TrimPrefix(word, "v")
		if len(word) > 2 && word[0] >= '0' && word[0] <= '9' && strings.Contains(word, ".") {
			return word
		}
	}
	return ""
}

// rivals are those whom we are held against.
var rivals = []string{"nginx", "haproxy", "varnish", "caddy", "traefik"}

// table writes a pivot: a column for each server, and ours as a ratio to some of them.
func (p *page) table(t *pivot, ratios ...string) {
	ratios = slices.DeleteFunc(ratios, func(name string) bool { return !slices.Contains(t.servers, name) })
	head := "| |"
	for _, s := range t.servers {
		head += " " + shown(s) + " |"
	}
	for _, s := range ratios {
		head += " ÷ " + shown(s) + " |"
	}
	fmt.Fprintf(p, "%s\n|%s\n", head, strings.Repeat("---|", strings.Count(head, "|")-1))
	for _, q := range t.questions {
		line := "| " + q + " |"
		for _, s := range t.servers {
			line += " " + cell(t.figure(q, s)) + " |"
		}
		for _, s := range ratios {
			line += " " + ratioCell(t.ratio(q, "multiserver", s)) + " |"
		}
		fmt.Fprintln(p, line)
		p.fallBehind(t, q)
	}
	fmt.Fprintln(p)
}

// fallBehind notes where ours takes more than a rival.
func (p *page) fallBehind(t *pivot, question string) {
	for _, s := range rivals {
		if r, off, ok := t.ratio(question, "multiserver", s); ok && r > 1.02+2*off {
			p.behind = append(p.behind, fmt.Sprintf("%s, %s (%.2f)", shown(s), question, r))
		}
	}
}

func cell(v float64, ok bool) string {
	switch {
	case !ok:
		return "–"
	case v >= 100:
		return thousands(fixed(v, 0))
	case v >= 10:
		return fixed(v, 1)
	}
	return fixed(v, 2)
}

func ratioCell(r, off float64, ok bool) string {
	if !ok {
		return "–"
	}
	if off == 0 {
		return fixed(r, 2)
	}
	return fixed(r, 2) + " ± " + strings.TrimPrefix(fixed(max(off, .005), 2), "0")
}

// thousands puts a comma before each third digit of a whole number.
func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// dots draws a pivot as ratios to one server.
func (p *page) dots(name, title string, t *pivot, to string) {
	c := chart.Dots{Title: title, X: "CPU time, as a multiple of " + shown(to) + "'s (logarithmic)"}
	for _, q := range t.questions {
		for _, s := range t.servers {
			if r, _, ok := t.ratio(q, s, to); ok {
				c.Add(q, s, r)
			}
		}
	}
	p.picture(name, title, c.SVG())
}
