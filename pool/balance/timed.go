package balance

import "sync/atomic"

// timed is all of a host that a pick by latency reads.
type timed struct {
	load  *atomic.Int64
	wait  *Latency
	part  float32       // heaviest weight ÷ its own
	asked atomic.Uint32 // when it was last picked here, in milliseconds; 0: never
}

func timedOf(hosts []Host) []timed {
	all := make([]timed, len(hosts))
	most := heaviest(hosts)
	for i := range hosts {
		h := &hosts[i]
		all[i].load, all[i].wait, all[i].part = h.Load, h.Wait, float32(most)/float32(h.weight())
	}
	return all
}

// crowd is what the latency is to be multiplied with for all there is to do
// before one more is done.
func (h *timed) crowd() float32 { return 1 + float32(h.load.Load())*h.part }

// idle is for how long it was neither asked nor answered, which it last did at.
func (h *timed) idle(now, at uint32) uint32 {
	idle := age(now, at)
	if asked := h.asked.Load(); asked != 0 {
		idle = min(idle, age(now, asked))
	}
	return idle
}

// ask notes that it is asked now. A line written only once a tick stays shared.
func (h *timed) ask(now uint32) {
	if h.asked.Load() != now {
		h.asked.Store(now)
	}
}
