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
	sheets    map[string]*sheet
	topic     string   // of the part that is being written
	behind    []string // a line for each topic
	err       error
}

// measured is the text between the marks.
func measured(dir, seen string) (string, error) {
	p := &page{dir: dir, seen: seen, sheets: map[string]*sheet{}}
	for _, s := range whole {
		p.read(s.name)
	}
	p.ground()
	for _, part := range []func(*page){
		(*page).aims, (*page).forwards, (*page).stored, (*page).latencies, (*page).secured, (*page).messages, (*page).silent, (*page).single, (*page).grown,
	} {
		part(p)
	}
	if len(p.behind) > 0 {
		fmt.Fprintf(p, "**Behind** we are, by more than the measurement may be off:\n\n%s\n\n", strings.Join(p.behind, "\n"))
	}
	return p.String(), p.err
}

// read has a sheet ready, if that was measured.
func (p *page) read(name string) {
	s, err := readSheet(p.dir, name)
	if err == nil {
		p.sheets[name] = s
	} else if !errors.Is(err, fs.ErrNotExist) {
		p.err = errors.Join(p.err, err)
	}
}

// sheet is nil if that was not measured.
func (p *page) sheet(name string) *sheet { return p.sheets[name] }

// picture saves a chart beside its figures, and shows it.
func (p *page) picture(name, title string, svg []byte) {
	p.err = errors.Join(p.err, os.WriteFile(filepath.Join(p.dir, name+".svg"), svg, 0o644))
	fmt.Fprintf(p, "![%s](%s/%s.svg)\n\n", title, p.seen, name)
}

// ground says what all was taken on: the newest sheet's machine, and everybody's version.
func (p *page) ground() {
	versions := map[string]string{}
	var newest About
	for _, s := range p.sheets {
		if s.about.Time.After(newest.Time) {
			newest = s.about
		}
		for name, said := range s.about.Versions {
			versions[name] = short(said)
		}
	}
	var said []string
	for _, name := range shownNames {
		if v := versions[name[0]]; v != "" && name[0] != "multiserver" {
			said = append(said, name[1]+" "+v)
		}
	}
	if !newest.Time.IsZero() {
		fmt.Fprintf(p, "On %s, %d cores, %s, with %s. Below each part stands when it was taken, of which commit, and the file that has its rounds.\n\n",
			newest.CPU, newest.Cores, newest.Kernel, strings.Join(said, ", "))
	}
}

// about begins a part: what it shows, and where that is from.
func (p *page) about(s *sheet, topic, what string) {
	p.topic = topic
	a := &s.about
	times := fmt.Sprintf("%d rounds of %g s", a.Rounds, a.Seconds)
	if a.Rounds == 1 {
		times = "one round"
	}
	fmt.Fprintf(p, "**%s%s.** %s (%s, commit %s, %s: `%s/%s.csv`)\n\n", strings.ToUpper(topic[:1]), topic[1:], what,
		a.Time.Format("2 January 2006"), a.Commit, times, p.seen, s.name)
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
	var behind []string
	for _, q := range t.questions {
		line := "| " + q + " |"
		for _, s := range t.servers {
			line += " " + cell(t.figure(q, s)) + " |"
		}
		for _, s := range ratios {
			line += " " + ratioCell(t.ratio(q, "multiserver", s)) + " |"
		}
		fmt.Fprintln(p, line)
		if who := t.ahead(q); len(who) > 0 {
			behind = append(behind, fmt.Sprintf("%s (%s)", q, strings.Join(who, ", ")))
		}
	}
	fmt.Fprintln(p)
	if len(behind) > 0 {
		p.behind = append(p.behind, "- "+p.topic+": "+strings.Join(behind, "; "))
	}
}

// ahead are the rivals that take less than ours, and how many times theirs ours is.
func (t *pivot) ahead(question string) (who []string) {
	for _, s := range rivals {
		if r, off, ok := t.ratio(question, "multiserver", s); ok && r > 1.02+2*off {
			who = append(who, fmt.Sprintf("%s %.2f", shown(s), r))
		}
	}
	return who
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
				c.Add(q, shown(s), r)
			}
		}
	}
	p.picture(name, title, c.SVG())
}
