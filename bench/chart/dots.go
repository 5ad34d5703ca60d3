package chart

import (
	"bytes"
	"fmt"
	"html"
	"slices"
)

// Dots draws a row for each question, with a dot for each name at its value, on one logarithmic
// axis: what is twice as much is as far away in all rows.
type Dots struct {
	Title, X string
	rows     []string
	dots     []dot
}

type dot struct {
	row   int
	name  string
	value float64
}

// Its measures, in pixels; the rows' names are at the left, above them who is who.
const (
	dotsLeft, dotsRight = 270, 24
	dotsTop, dotsBottom = 66, 46
	dotsRow             = 24
	dotsWide            = float64(wide - dotsLeft - dotsRight)
)

// Add puts a dot in the row of that name; values are above 0.
func (c *Dots) Add(row, name string, value float64) {
	i := slices.Index(c.rows, row)
	if i < 0 {
		i = len(c.rows)
		c.rows = append(c.rows, row)
	}
	c.dots = append(c.dots, dot{i, name, value})
}

// SVG is the picture.
func (c *Dots) SVG() []byte {
	var b bytes.Buffer
	bottom := dotsTop + dotsRow*len(c.rows)
	begin(&b, c.Title, bottom+dotsBottom)
	values := []float64{1}
	for _, d := range c.dots {
		values = append(values, d.value)
	}
	x := around(values, 1.1)
	px := func(v float64) float64 { return dotsLeft + dotsWide*x.part(v) }
	for _, v := range x.ticks() {
		class := "grid"
		if v == 1 {
			class = "one"
		}
		fmt.Fprintf(&b, `<path class="%s" d="M%.1f %d V%d"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n",
			class, px(v), dotsTop, bottom, px(v), bottom+18, number(v))
	}
	fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", dotsLeft+dotsWide/2, bottom+38, html.EscapeString(c.X))
	for i, name := range c.rows {
		y := rowAt(i)
		fmt.Fprintf(&b, `<path class="grid" d="M%d %d H%.1f"/><text x="%d" y="%d" text-anchor="end">%s</text>`+"\n",
			dotsLeft, y, dotsLeft+dotsWide, dotsLeft-10, y+4, html.EscapeString(name))
	}
	c.legend(&b)
	for _, d := range slices.Backward(c.dots) { // the first named lies on top
		fmt.Fprintf(&b, `<circle class="ring" cx="%.1f" cy="%d" r="6" fill="%s"><title>%s: %.3g</title></circle>`+"\n",
			px(d.value), rowAt(d.row), colour(d.name), html.EscapeString(d.name), d.value)
	}
	return end(&b)
}

func rowAt(i int) int { return dotsTop + dotsRow*i + dotsRow/2 }

// legend says who is who, in the order in which they came.
func (c *Dots) legend(b *bytes.Buffer) {
	var seen []string
	x := 12
	for _, d := range c.dots {
		if slices.Contains(seen, d.name) {
			continue
		}
		seen = append(seen, d.name)
		fmt.Fprintf(b, `<circle cx="%d" cy="45" r="6" fill="%s"/><text x="%d" y="49">%s</text>`+"\n", x+6, colour(d.name), x+16, html.EscapeString(d.name))
		x += 34 + 7*len(d.name)
	}
}
