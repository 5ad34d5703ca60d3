package config

import (
	"fmt"
	"strings"

	"multiserver/proxy/route"
)

// mostExplained bounds what a person is shown.
const mostExplained = 200

// Explain says, for people, which requests go where: a line for each path on a
// host, in the order in which they are looked for. Lines begin with "#", so
// that it can stand in the file.
func (c *Config) Explain() string {
	rules := make([]route.Rule, len(c.Routes))
	for i := range c.Routes {
		rules[i] = c.Routes[i].Match
	}
	var b strings.Builder
	b.WriteString("# A request takes the first of these routes that it fits, or is answered 404:\n")
	for i, t := range route.Order(rules) {
		if i == mostExplained {
			fmt.Fprintf(&b, "#   … and others, of %d routes in all\n", len(rules))
			break
		}
		r := &c.Routes[t.Rule]
		fmt.Fprintf(&b, "#   %s%s -> %s: %s\n", orNothing(t.Host, "*")+t.Path, conditions(&r.Match), r.Name, r.leads())
	}
	return b.String()
}

func conditions(m *route.Rule) (text string) {
	if len(m.Method) > 0 {
		text += " " + strings.Join(m.Method, "|")
	}
	for _, f := range m.Header {
		text += " " + f.Name + ":" + f.Value
	}
	for _, f := range m.Query {
		text += " ?" + f.Name + "=" + f.Value
	}
	return text
}

// leads is where a route's requests go.
func (r *Route) leads() string {
	text := "pool " + r.Pool
	if len(r.Split) > 0 {
		var shares []string
		for _, s := range r.Split {
			shares = append(shares, fmt.Sprintf("%d to %s", s.Weight, s.Pool))
		}
		text = "split, " + strings.Join(shares, ", ")
	}
	for i := range r.Filters {
		text += ", " + r.Filters[i].Name
	}
	return text
}
