package chart

import (
	"fmt"
	"math"
)

// logAxis goes from one value to another, by factors.
type logAxis struct{ from, to float64 }

// around is an axis for values, with some room at both ends.
func around(values []float64, room float64) logAxis {
	a := logAxis{math.Inf(1), 0}
	for _, v := range values {
		a.from, a.to = min(a.from, v), max(a.to, v)
	}
	return logAxis{a.from / room, a.to * room}
}

// part is where a value lies, from 0 to 1.
func (a logAxis) part(v float64) float64 {
	return math.Log(v/a.from) / max(math.Log(a.to/a.from), 1e-9)
}

// ticks are at 1, 2, 5 of each decade, or at 1 if there are more than two.
func (a logAxis) ticks() []float64 {
	steps := []float64{1, 2, 5}
	if a.to/a.from >= 200 {
		steps = steps[:1]
	}
	var all []float64
	for e := math.Floor(math.Log10(a.from)); e <= math.Ceil(math.Log10(a.to)); e++ {
		for _, m := range steps {
			if v := m * math.Pow(10, e); v >= a.from*.999 && v <= a.to*1.001 {
				all = append(all, v)
			}
		}
	}
	return all
}

// number is short: 1,000 and 20k, 1M, 0.5.
func number(v float64) string {
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%gG", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%gk", v/1e3)
	case v >= 1000:
		return fmt.Sprintf("%d,%03d", int(v)/1000, int(v)%1000)
	}
	return fmt.Sprintf("%g", math.Round(v*1e6)/1e6)
}
