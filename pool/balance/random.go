package balance

import (
	"math/bits"
	"math/rand/v2"
)

// alias draws hosts at random by weight in constant time: Walker 1977, built
// as in Vose 1991. Every host has a cell of equal width; what a light host
// leaves of its cell belongs to one heavy host.
type alias []cell

type cell struct {
	own   uint64 // below it the cell's own host, from it on the other
	other uint16
}

// Random takes each host with the probability of its weight, whatever came
// before.
func Random(s Set) Picker { return newAlias(s.Hosts) }

func (a alias) Pick(uint64) int { return a.draw(rand.Uint64()) }

// draw gives r's host. The high half of the product is the cell, the low half
// where in it.
func (a alias) draw(r uint64) int {
	i, at := bits.Mul64(r, uint64(len(a)))
	if c := a[i]; at >= c.own {
		return int(c.other)
	}
	return int(i)
}

func newAlias(hosts []Host) alias {
	var sum float64
	for i := range hosts {
		sum += float64(hosts[i].weight())
	}
	width := make([]float64, len(hosts)) // in cells
	var light, heavy []uint16
	for i := range hosts {
		width[i] = float64(hosts[i].weight()) * float64(len(hosts)) / sum
		if width[i] < 1 {
			light = append(light, uint16(i))
		} else {
			heavy = append(heavy, uint16(i))
		}
	}
	a := make(alias, len(hosts))
	for i := range a {
		a[i].other = uint16(i) // a whole cell; also what rounding leaves over below
	}
	for len(light) > 0 && len(heavy) > 0 {
		l, h := light[len(light)-1], heavy[len(heavy)-1]
		light = light[:len(light)-1]
		a[l] = cell{uint64(width[l] * (1 << 64)), h}
		if width[h] -= 1 - width[l]; width[h] < 1 {
			heavy = heavy[:len(heavy)-1]
			light = append(light, h)
		}
	}
	return a
}
