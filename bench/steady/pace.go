//go:build linux

package steady

import (
	"math/rand/v2"
	"time"
)

// A Step is a rate that holds for a time.
type Step struct {
	Rate float64 // requests per second
	For  time.Duration
}

// Pace is when requests are due: by chance at a mean rate that is fixed (a
// Poisson process), for independent clients do not come like a metronome. The
// same seed gives the same times, so that all servers are asked alike.
type Pace struct {
	steps []Step
	rand  *rand.Rand
	at    time.Duration // of the last one
	began time.Duration // of the first of steps
}

// NewPace returns the times of all steps, one after the other.
func NewPace(seed uint64, steps ...Step) *Pace {
	return &Pace{steps: steps, rand: rand.New(rand.NewPCG(seed, 0))}
}

// Next is when the next request is due, from the start; false: there is none.
func (p *Pace) Next() (time.Duration, bool) {
	for len(p.steps) > 0 {
		s := p.steps[0]
		at := p.at + time.Duration(p.rand.ExpFloat64()*float64(time.Second)/s.Rate)
		if at < p.began+s.For {
			p.at = at
			return at, true
		}
		p.began += s.For // a Poisson process has no memory: the next step begins afresh
		p.at, p.steps = p.began, p.steps[1:]
	}
	return 0, false
}

// Length is how long all steps last.
func (p *Pace) Length() (d time.Duration) {
	for _, s := range p.steps {
		d += s.For
	}
	return p.began + d
}
