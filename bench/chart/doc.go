// Package chart draws figures as SVG: text stays text, and colours change with
// the reader's light or dark screen.
//
// A chart is filled by Add and drawn once by SVG. The same points give the same
// bytes, so that a chart under version control changes only with its figures.
// A name has its colour in all charts.
//
//	lines.go   Lines: what grows with what, on logarithmic axes
//	dots.go    Dots: a row for each question, a dot for each who answered
//	axis.go    where a value lies, and which values are written beside it
//	page.go    what all have: title, ground, colours
package chart
