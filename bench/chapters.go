//go:build linux

package main

import (
	"fmt"
	"strconv"
	"strings"

	"multiserver/bench/chart"
)

// The README's parts, each of a sheet or two. What was not measured is left out.

// scenario names a row of a sheet of scenarios for people.
func scenario(row map[string]string) string {
	s, err := parseScenario(row["scenario"])
	if err != nil {
		return row["scenario"]
	}
	what := s.Path[strings.LastIndexByte(s.Path, '/')+1:]
	if s.Body > 0 {
		what = fmt.Sprintf("POST of %dk", s.Body>>10)
	}
	what = strings.NewReplacer("k", " KiB", "m", " MiB", "g", " GiB").Replace(what)
	if s.URLs > 1 {
		what += ", one of " + thousands(strconv.Itoa(s.URLs))
	}
	if s.Miss > 0 {
		what += fmt.Sprintf(", %d %% of hits", 100-100/s.Miss)
	}
	return fmt.Sprintf("%s × %s", what, thousands(strconv.Itoa(s.Conns)))
}

// these are the rows of one scenario, named otherwise.
func these(name, as string) func(map[string]string) string {
	return func(row map[string]string) string {
		if row["scenario"] != name {
			return ""
		}
		return as
	}
}

func (p *page) forwards() {
	s := p.sheet("forward")
	if s == nil {
		return
	}
	p.about(s, "forwarded", "What a request costs its server in CPU time, in µs, passed on; size of the answer × client connections. "+
		"Each server has one core, and the load another; all run at once and take turns in slices of 100 ms, over 1,000 connections and more in whole turns; ± is the standard error of the median.")
	t := s.pivot("cpu_us", scenario)
	p.dots("forward", "What a forwarded request costs", t, "nginx")
	p.table(t, "nginx", "haproxy")
	fmt.Fprintf(p, "The most of them on that core, a second: %s.", s.pivot("answers_per_s", these("forward-1k-c64", "rate")).list("", 1))
	for _, at := range [][2]string{{"forward-1k-c64", "64"}, {"forward-1k-c2000", "2,000"}} {
		if held := s.pivot("memory_bytes", these(at[0], "MiB")).list("", 1<<20); held != "" {
			fmt.Fprintf(p, " Resident meanwhile over %s connections, in MiB: %s.", at[1], held)
		}
	}
	p.WriteString("\n\n")
}

// list is a question's figures in a line; "" is the only one there is.
func (t *pivot) list(question string, unit float64) string {
	if question == "" && len(t.questions) > 0 {
		question = t.questions[0]
	}
	var all []string
	for _, s := range t.servers {
		if v, ok := t.figure(question, s); ok {
			all = append(all, shown(s)+" "+cell(v/unit, true))
		}
	}
	return strings.Join(all, ", ")
}

func (p *page) stored() {
	if s := p.sheet("hits"); s != nil {
		p.about(s, "stored", "The same of stored answers: each cache is on and warm, the origin not asked once. The floors answer by themselves.")
		t := s.pivot("cpu_us", scenario)
		p.dots("hits", "What a stored answer costs", t, "nginx")
		p.table(t, "nginx", "haproxy", "varnish")
	}
	if s := p.sheet("mixed"); s != nil {
		p.about(s, "mixed", "Of five requests one is for what nobody has asked for yet: it is fetched, and stored.")
		p.table(s.pivot("cpu_us", scenario), "nginx", "haproxy", "varnish")
	}
}

// latencies are about one share of the peak; the chart has all.
func (p *page) latencies() {
	s := p.sheet("latency")
	if s == nil {
		return
	}
	p.about(s, "latency", "How long an answer takes, in ms, at a rate that does not wait for answers, counted from when its request was due: 1 KiB over 256 connections, "+
		"the rate as a share of what we can do with 64. What the load itself adds is in the column without a proxy.")
	c := chart.Lines{Title: "99 of 100 answers take at most", X: "requests a second", Y: "ms"}
	all := s.pivot("p99_us", func(row map[string]string) string { return row["rate"] })
	for _, name := range all.servers {
		for _, rate := range all.questions {
			x, _ := strconv.ParseFloat(rate, 64)
			if v, ok := all.figure(rate, name); ok && x > 0 && v > 0 {
				c.Add(shown(name), x, v/1e3)
			}
		}
	}
	p.picture("latency", c.Title, c.SVG())
	p.table(s.quantiles(fixed(latencyGoal, 2)))
}

// quantiles are the latencies at one share of the peak, in ms.
func (s *sheet) quantiles(share string) *pivot {
	all := &pivot{rounds: map[[2]string]map[string]float64{}}
	for _, q := range [][2]string{{"p50_us", "half of them"}, {"p99_us", "99 of 100"}, {"p999_us", "999 of 1,000"}} {
		t := s.pivot(q[0], func(row map[string]string) string {
			if row["share"] != share {
				return ""
			}
			return fmt.Sprintf("%s, at %s/s", q[1], thousands(row["rate"]))
		})
		all.questions, all.servers = append(all.questions, t.questions...), t.servers
		for at, rounds := range t.rounds {
			all.rounds[at] = map[string]float64{}
			for n, v := range rounds {
				all.rounds[at][n] = v / 1e3
			}
		}
	}
	return all
}

// column is a row's cell, as the name of a question.
func column(name string) func(map[string]string) string {
	return func(row map[string]string) string { return row[name] }
}

func (p *page) secured() {
	if s := p.sheet("handshakes"); s != nil {
		p.about(s, "TLS", "By TLS 1.3 with a certificate of ECDSA P-256 and X25519 for all, 8 clients: CPU time in µs.")
		p.table(s.pivot("cpu_us", column("what")), "nginx", "haproxy", "caddy")
	}
}

func (p *page) messages() {
	if s := p.sheet("websocket"); s != nil {
		p.about(s, "WebSocket", "A message through a WebSocket tunnel and its echo back: CPU time in µs.")
		p.table(s.pivot("cpu_us_message", func(row map[string]string) string {
			return fmt.Sprintf("%s B, %s tunnels", row["bytes"], thousands(row["conns"]))
		}), "nginx", "haproxy")
	}
}

func (p *page) silent() {
	if s := p.sheet("idle"); s != nil {
		p.about(s, "idle", "Resident memory of a connection on which nothing comes, in bytes, after one answer, or one message.")
		p.table(s.pivot("bytes_each", func(row map[string]string) string {
			return thousands(row["connections"]) + " × " + row["kind"]
		}))
	}
}

// single are figures that need no table.
func (p *page) single() {
	var said []string
	if s := p.sheet("starts"); s != nil {
		said = append(said, "A server answers so many ms after its start: "+s.pivot("start_ms_median", func(map[string]string) string { return "ms" }).list("", 1)+
			"; its program has so many MB: "+s.pivot("program_bytes", func(map[string]string) string { return "MB" }).list("", 1e6)+".")
	}
	if s := p.sheet("logs"); s != nil {
		t := s.pivot("ratio", column("scenario"))
		for _, q := range t.questions {
			if v, ok := t.figure(q, ""); ok {
				said = append(said, fmt.Sprintf("Metrics and an access log in JSON add %.1f %% of CPU time to `%s`.", 100*(v-1), q))
			}
		}
	}
	if s := p.sheet("cores"); s != nil {
		t := s.pivot("ratio", column("scenario"))
		for _, q := range t.questions {
			said = append(said, fmt.Sprintf("With two cores a request of `%s` takes as many times the CPU time: %s.", q, t.list(q, 1)))
		}
		said = append(said, "Two cores do 2 ÷ that of the work of one; the rate itself cannot be had where the load needs one of them.")
	}
	if len(said) > 0 {
		fmt.Fprintf(p, "%s (`starts.csv`, `logs.csv`, `cores.csv`)\n\n", strings.Join(said, " "))
	}
}

// grown shows what grows with what.
func (p *page) grown() {
	if s := p.sheet("growth"); s != nil {
		p.about(s, "growth", "What grows, and what does not: all points of a chart ran at once and took turns in slices, over 1,000 connections and more in whole turns.")
		charts := growthCharts(s.rows)
		for _, g := range growings {
			if c := charts[g.name]; c != nil {
				p.picture("growth-"+g.name, c.Title, c.SVG())
			}
		}
	}
	if s := p.sheet("entries"); s != nil {
		c := chart.Lines{Title: "What a stored answer costs to find", X: "entries", Y: "ns", Whole: true}
		for _, row := range s.rows {
			x, _ := strconv.ParseFloat(row["entries"], 64)
			if y, err := strconv.ParseFloat(row["ns_median"], 64); err == nil && x > 0 && y > 0 {
				c.Add("multiserver", x, y)
			}
		}
		p.picture("growth-entries", c.Title, c.SVG())
	}
}
