package chart

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"slices"
)

// Lines draws a line for each name, over two logarithmic axes.
type Lines struct {
	Title, X, Y string
	// Whole has the Y axis span a decade at least, so that what is level looks level.
	Whole bool
	lines []line
}

type line struct {
	name string
	at   [][2]float64
}

// Its measures, in pixels; the names are at the right.
const (
	linesHigh             = 320
	linesLeft, linesRight = 64, 150
	linesTop, linesBottom = 44, 50
	innerWide, innerHigh  = float64(wide - linesLeft - linesRight), float64(linesHigh - linesTop - linesBottom)
)

// Add appends a point to the line of that name; both are above 0.
func (c *Lines) Add(name string, x, y float64) {
	i := slices.IndexFunc(c.lines, func(l line) bool { return l.name == name })
	if i < 0 {
		c.lines = append(c.lines, line{name: name})
		i = len(c.lines) - 1
	}
	c.lines[i].at = append(c.lines[i].at, [2]float64{x, y})
}

// SVG is the picture.
func (c *Lines) SVG() []byte {
	var b bytes.Buffer
	begin(&b, c.Title, linesHigh)
	x, y := around(c.values(0), 1), c.heights()
	px := func(v float64) float64 { return linesLeft + innerWide*x.part(v) }
	py := func(v float64) float64 { return linesTop + innerHigh*(1-y.part(v)) }
	for _, v := range x.ticks() {
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f %d V%.1f"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n",
			px(v), linesTop, linesTop+innerHigh, px(v), linesTop+innerHigh+18, number(v))
	}
	for _, v := range y.ticks() {
		fmt.Fprintf(&b, `<path class="grid" d="M%d %.1f H%.1f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			linesLeft, py(v), linesLeft+innerWide, linesLeft-8, py(v)+4, number(v))
	}
	fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", linesLeft+innerWide/2, linesHigh-10, html.EscapeString(c.X))
	fmt.Fprintf(&b, `<text transform="translate(16 %.1f) rotate(-90)" text-anchor="middle">%s</text>`+"\n", linesTop+innerHigh/2, html.EscapeString(c.Y))
	names := c.places(py)
	for i, l := range c.lines {
		l.draw(&b, px, py, names[i])
	}
	return end(&b)
}

// draw is the line, its points, and its name at some height.
func (l *line) draw(b *bytes.Buffer, px, py func(float64) float64, name float64) {
	c := colour(l.name)
	fmt.Fprintf(b, `<polyline fill="none" stroke-width="2" stroke="%s" points="`, c)
	for _, p := range l.at {
		fmt.Fprintf(b, "%.1f,%.1f ", px(p[0]), py(p[1]))
	}
	b.WriteString(`"/>`)
	for _, p := range l.at {
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`, px(p[0]), py(p[1]), c)
	}
	last := l.at[len(l.at)-1]
	fmt.Fprintf(b, `<path d="M%.1f %.1f L%.1f %.1f" stroke="%s"/>`, px(last[0]), py(last[1]), linesLeft+innerWide+14, name, c)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" style="fill:%s">%s</text>`+"\n", linesLeft+innerWide+18, name+4, c, html.EscapeString(l.name))
}

// places is how high each line's name stands: beside its last point, moved so that none covers
// another.
func (c *Lines) places(py func(float64) float64) []float64 {
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
		lowest := linesTop + innerHigh - float64(nameHigh*(len(order)-1-n))
		high[order[n]] = min(high[order[n]], lowest)
	}
	return high
}

// values are all of X (0) or Y (1).
func (c *Lines) values(k int) (all []float64) {
	for _, l := range c.lines {
		for _, p := range l.at {
			all = append(all, p[k])
		}
	}
	return all
}

func (c *Lines) heights() logAxis {
	a := around(c.values(1), 1.2)
	if short := 10 / (a.to / a.from); c.Whole && short > 1 {
		a.from, a.to = a.from/math.Sqrt(short), a.to*math.Sqrt(short)
	}
	return a
}
