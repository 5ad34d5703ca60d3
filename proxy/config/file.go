package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// largestFile bounds what is read; 10,000 routes take about 2 MiB.
const largestFile = 64 << 20

var configFile = value{
	read: func(c *Config, w string) error {
		if w != none {
			c.File = w
		}
		return nil
	},
	show: func(c *Config) []string {
		if c.File == "" {
			return nil
		}
		return []string{c.File}
	},
}

// watched is nothing to show where there is no file.
var watched = func() value {
	v := toggle(func(c *Config) *bool { return &c.Watch })
	show := v.show
	v.show = func(c *Config) []string {
		if c.File == "" {
			return nil
		}
		return show(c)
	}
	return v
}()

// file is a configuration file as it is read: what it gives of settings, its
// pools and its routes, and what is wrong with it.
type file struct {
	name   string
	wrong  Mistakes
	open   fs.FileMode // not 0: others may read it
	pools  []*section
	routes []*section
	routed bool // there is a list of routes
	merges int  // so far
}

// place is where something stands: app.yaml:12: pools.api.upstream[2].
type place struct {
	file string
	line int
	path string
}

func (p place) String() string {
	if p.path == "" {
		return fmt.Sprintf("%s:%d", p.file, p.line)
	}
	return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.path)
}

func (p place) under(key string, line int) place {
	if p.path != "" {
		key = p.path + "." + key
	}
	return place{p.file, line, key}
}

func (p place) item(i, line int) place {
	return place{p.file, line, p.path + "[" + strconv.Itoa(i) + "]"}
}

// readFile reads a configuration file. What the operator said elsewhere is in
// raw already, and stays; the rest joins it.
func readFile(name string, raw Raw) *file {
	f := &file{name: name}
	text, err := f.text()
	if err != nil {
		f.wrong = Mistakes{{From: raw["config"].From, Value: name, Why: fileError(err).Error()}}
		return f
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		f.unreadable(err)
		return f
	}
	if len(doc.Content) == 0 {
		return f // empty, or only comments
	}
	f.top(doc.Content[0], raw)
	return f
}

func (f *file) text() ([]byte, error) {
	info, err := os.Stat(f.name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("is a directory, want a file")
	case info.Size() > largestFile:
		return nil, fmt.Errorf("has %s, want at most %s", showSize(info.Size()), showSize(largestFile))
	}
	f.open = info.Mode().Perm() & 0o004
	return os.ReadFile(f.name)
}

// unreadable puts the YAML reader's words behind the file's name and line.
func (f *file) unreadable(err error) {
	at, text := place{f.name, 1, ""}, err.Error()
	var bad *yaml.LoadError
	if errors.As(err, &bad) {
		at.line, text = max(bad.Mark.Line, 1), bad.Message
	}
	f.add(at, "", "not YAML: %s", text)
}

func (f *file) add(at place, value, why string, args ...any) {
	f.wrong = append(f.wrong, Mistake{From: at.String(), Value: value, Why: fmt.Sprintf(why, args...)})
}

// top reads the whole of the file.
func (f *file) top(n *yaml.Node, raw Raw) {
	own := Raw{}
	for _, p := range f.pairs(n, place{f.name, n.Line, ""}) {
		switch {
		case p.key == "pools":
			f.readPools(p)
		case p.key == "routes":
			f.readRoutes(p)
		case p.key == "config":
			f.add(p.at, "", "a file cannot lead to another, want all of it in one")
		case strings.HasPrefix(p.key, "x-"): // room for anchors
		case Lookup(p.key) != nil:
			f.setting(p, own)
		default:
			f.unknown(p, "setting", topNames())
		}
	}
	for name, g := range own {
		if _, beaten := raw[name]; !beaten {
			raw[name] = g
		}
	}
}

func topNames() []string {
	names := []string{"pools", "routes"}
	for i := range Settings {
		names = append(names, Settings[i].Name)
	}
	return names
}

// setting notes what is given for a row of the table.
func (f *file) setting(p pair, into Raw) {
	s := Lookup(p.key)
	words, at := f.words(p, s.Many)
	if len(words) == 0 {
		return
	}
	g := Given{From: p.at.String(), Words: words}
	for i := range at {
		if s.Many {
			g.at = append(g.at, at[i].String())
		}
	}
	into[s.Name] = g
	f.secret(s, p.at, words)
}

// secret refuses to keep one where everybody on the machine can read it.
func (f *file) secret(s *Setting, at place, words []string) {
	if !s.Secret || f.open == 0 || (s.Name == "redis" || s.Name == "mongo") && !strings.Contains(words[0], "@") {
		return
	}
	f.add(at, "", "is secret, and everybody on this machine can read the file: want chmod 600 %s, or the value as %s", f.name, s.Env())
}

// sort puts mistakes in the order of the file; those outside it come first.
func (f *file) sort(all Mistakes) {
	if f.name == "" {
		return
	}
	slices.SortStableFunc(all, func(a, b Mistake) int { return cmp.Compare(f.line(a), f.line(b)) })
}

func (f *file) line(m Mistake) int {
	rest, ok := strings.CutPrefix(m.From, f.name+":")
	if !ok {
		return 0
	}
	digits, _, _ := strings.Cut(rest, ":")
	n, _ := strconv.Atoi(digits)
	return n
}
