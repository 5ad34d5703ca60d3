//go:build linux

package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
)

// A chart draws lines over two logarithmic axes.
type chart struct {
	Title, X, Y string
	lines       []chartLine
}

type chartLine struct {
	name string
	at   [][2]float64
}

// Its measures, in pixels.
const (
	chartWide, chartHigh          = 760, 440
	chartLeft, chartRight         = 70, 170 // the names are at the right
	chartTop, chartBottom         = 50, 55
	nameHigh                      = 16
	innerWide, innerHigh  float64 = chartWide - chartLeft - chartRight, chartHigh - chartTop - chartBottom
)

// Colours that the colour-blind can tell apart (Okabe and Ito 2008), on white and on dark.
var chartColours = []string{"#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#8c8c8c", "#b8a200"}

// add appends a point to the line of that name.
func (c *chart) add(name string, x, y float64) {
	i := slices.IndexFunc(c.lines, func(l chartLine) bool { return l.name == name })
	if i < 0 {
		c.lines = append(c.lines, chartLine{name: name})
		i = len(c.lines) - 1
	}
	c.lines[i].at = append(c.lines[i].at, [2]float64{x, y})
}

// SVG is the picture.
func (c *chart) SVG() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" role="img" aria-label="%s">
<rect width="100%%" height="100%%" fill="#fff"/>
<text x="%d" y="26" font-size="16" font-weight="bold">%s</text>
`, chartWide, chartHigh, html.EscapeString(c.Title), chartLeft, html.EscapeString(c.Title))
	x, y := c.axis(0), c.axis(1)
	px := func(v float64) float64 { return chartLeft + innerWide*x.part(v) }
	py := func(v float64) float64 { return chartTop + innerHigh*(1-y.part(v)) }
	for _, v := range x.ticks() {
		fmt.Fprintf(&b, `<path d="M%.1f %d V%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n",
			px(v), chartTop, chartTop+innerHigh, px(v), chartTop+innerHigh+18, number(v))
	}
	for _, v := range y.ticks() {
		fmt.Fprintf(&b, `<path d="M%d %.1f H%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			chartLeft, py(v), chartLeft+innerWide, chartLeft-8, py(v)+4, number(v))
	}
	fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", chartLeft+innerWide/2, chartHigh-12, html.EscapeString(c.X))
	fmt.Fprintf(&b, `<text transform="translate(18 %.1f) rotate(-90)" text-anchor="middle">%s</text>`+"\n", chartTop+innerHigh/2, html.EscapeString(c.Y))
	names := c.places(py)
	for i, l := range c.lines {
		colour := chartColours[i%len(chartColours)]
		b.WriteString(`<polyline fill="none" stroke-width="2" stroke="` + colour + `" points="`)
		for _, p := range l.at {
			fmt.Fprintf(&b, "%.1f,%.1f ", px(p[0]), py(p[1]))
		}
		b.WriteString(`"/>`)
		for _, p := range l.at {
			fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, px(p[0]), py(p[1]), colour)
		}
		last := l.at[len(l.at)-1]
		fmt.Fprintf(&b, `<path d="M%.1f %.1f L%.1f %.1f" stroke="%s"/>`, px(last[0]), py(last[1]), chartLeft+innerWide+14, names[i], colour)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" fill="%s">%s</text>`+"\n", chartLeft+innerWide+18, names[i]+4, colour, html.EscapeString(l.name))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// places is how high each line's name stands: beside its last point, moved so that none covers
// another.
func (c *chart) places(py func(float64) float64) []float64 {
	high := make([]float64, len(c.lines))
	var order []int
	for i, l := range c.lines {
		high[i] = py(l.at[len(l.at)-1][1])
		order = append(order, i)
	}
	slices.SortFunc(order, func(i, j int) int { return int(math.Copysign(1, high[i]-high[j])) })
	for n, i := range order {
		if n > 0 {
			high[i] = max(high[i], high[order[n-1]]+nameHigh)
		}
	}
	for n := len(order) - 1; n >= 0; n-- { // what went over the edge comes back
		lowest := chartTop + innerHigh - float64(nameHigh*(len(order)-1-n))
		high[order[n]] = min(high[order[n]], lowest)
	}
	return high
}

// logAxis goes from one value to another.
type logAxis struct{ from, to float64 }

func (c *chart) axis(k int) logAxis {
	a := logAxis{math.Inf(1), 0}
	for _, l := range c.lines {
		for _, p := range l.at {
			a.from, a.to = min(a.from, p[k]), max(a.to, p[k])
		}
	}
	if k == 1 { // whole steps around the lines
		a.from, a.to = 0.8*a.from, 1.2*a.to
	}
	return a
}

func (a logAxis) part(v float64) float64 {
	return math.Log(v/a.from) / max(math.Log(a.to/a.from), 1e-9)
}

// ticks are at 1, 2, 5 of each decade, or at 1 if there are more than two.
func (a logAxis) ticks() []float64 {
	var all []float64
	for e := math.Floor(math.Log10(a.from)); e <= math.Ceil(math.Log10(a.to)); e++ {
		for _, m := range []float64{1, 2, 5} {
			v := m * math.Pow(10, e)
			if v >= a.from*.999 && v <= a.to*1.001 && (m == 1 || a.to/a.from < 200) {
				all = append(all, v)
			}
		}
	}
	return all
}

func number(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%d,%03d", int(v)/1000, int(v)%1000)
	}
	return fmt.Sprintf("%g", v)
}
