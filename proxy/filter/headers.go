package filter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"multiserver/proxy"
)

// headers are fields that are set, added and removed.
type headers struct {
	drop  []string // in lower case
	lines []line
}

type line struct {
	name  string
	value template
}

type askHeaders struct {
	proxy.Prompt
	headers
}

type tellHeaders struct {
	proxy.Prompt
	headers
}

func newAskHeaders(o Options) (proxy.Filter, error) {
	h, err := readHeaders(o)
	if err == nil {
		err = h.oneHost()
	}
	return &askHeaders{headers: h}, err
}

func newTellHeaders(o Options) (proxy.Filter, error) {
	h, err := readHeaders(o)
	return &tellHeaders{headers: h}, err
}

func (f *askHeaders) Request(x *proxy.Exchange) bool {
	f.edit(x, x.Ask())
	return true
}

func (f *tellHeaders) Response(x *proxy.Exchange) { f.edit(x, x.Tell()) }

func (h *headers) edit(x *proxy.Exchange, e *proxy.Edits) {
	for _, name := range h.drop {
		e.Drop(name)
	}
	for i := range h.lines {
		l := &h.lines[i]
		e.Begin(l.name)
		e.End(l.value.append(e.Value(), x))
	}
}

func readHeaders(o Options) (h headers, err error) {
	var said struct {
		Set    map[string]string `yaml:"set"`
		Add    map[string]string `yaml:"add"`
		Remove []string          `yaml:"remove"`
	}
	if err := o.Decode(&said); err != nil {
		return h, err
	}
	if len(said.Set)+len(said.Add)+len(said.Remove) == 0 {
		return h, fmt.Errorf("nothing to do, want set, add or remove")
	}
	for _, name := range said.Remove {
		if err := checkName(strings.TrimSuffix(name, "*")); err != nil && name != "*" {
			return h, fmt.Errorf("remove: %w", err)
		}
		h.drop = append(h.drop, strings.ToLower(name))
	}
	for name := range said.Set {
		if strings.HasSuffix(name, "*") {
			return h, fmt.Errorf("set: %s: want one field, remove takes all that begin so", name)
		}
		h.drop = append(h.drop, strings.ToLower(name))
	}
	for i, list := range []map[string]string{said.Set, said.Add} {
		if err := h.put(list); err != nil {
			return h, fmt.Errorf("%s: %w", [...]string{"set", "add"}[i], err)
		}
	}
	return h, nil
}

// oneHost refuses what would leave a request with none, or with two (RFC 9112
// §3.2).
func (h *headers) oneHost() error {
	n := 1
	for _, name := range h.drop {
		if name == "host" {
			n = 0
		}
	}
	for i := range h.lines {
		if strings.EqualFold(h.lines[i].name, "host") {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("host: a request has one, want set")
	}
	return nil
}

func (h *headers) put(list map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if err := checkName(name); err != nil {
			return err
		}
		t, err := parseTemplate(list[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		h.lines = append(h.lines, line{name, t})
	}
	return nil
}
