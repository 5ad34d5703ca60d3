package admin

import (
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// Moments are what charts of the last minutes are drawn from, one each second.
type Moments struct {
	Bounds []float64       // of all durations' buckets, in seconds
	Take   func(m *Moment) // fills in all but the time, Durations in place; called each second
}

// Moment is what a State says in all, at one time.
type Moment struct {
	Time      time.Time `json:"time"`
	Requests  Classes   `json:"requests"`
	Durations []uint64  `json:"durations"`
	InFlight  int64     `json:"in_flight"`
	Waiting   int64     `json:"waiting"` // for a place, anywhere
	Hits      uint64    `json:"hits"`    // of the cache
	Misses    uint64    `json:"misses"`
}

// remembered is how many there are: ten minutes, in some 180 KiB that are taken
// at the start and never more.
const remembered = 600

// history keeps the last of them; the oldest makes room.
type history struct {
	of Moments

	mu   sync.Mutex
	ring []Moment // guarded by mu, as is n
	n    int      // taken so far
}

func newHistory(of *Moments) *history {
	if of == nil {
		return nil
	}
	h := &history{of: *of, ring: make([]Moment, remembered)}
	size := len(of.Bounds) + 1
	all := make([]uint64, remembered*size)
	for i := range h.ring {
		h.ring[i].Durations = all[i*size : (i+1)*size : (i+1)*size]
	}
	return h
}

// note takes one.
func (h *history) note(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := &h.ring[h.n%remembered]
	*m = Moment{Time: now, Durations: m.Durations}
	clear(m.Durations)
	h.of.Take(m)
	h.n++
}

// past is those there are, the oldest first.
func (h *history) past() []Moment {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]Moment, 0, remembered)
	for i := max(0, h.n-remembered); i < h.n; i++ {
		m := h.ring[i%remembered]
		m.Durations = append([]uint64(nil), m.Durations...)
		out = append(out, m)
	}
	return out
}

// remember takes one each second until the pages end.
func (a *Admin) remember() {
	t := time.NewTicker(stateEvery)
	defer t.Stop()
	for now := time.Now(); ; {
		a.history.note(now)
		select {
		case now = <-t.C:
		case <-a.streams.life.Done():
			return
		}
	}
}

// past is GET /api/history.
func (a *Admin) past(ctx *fasthttp.RequestCtx, path string) bool {
	switch {
	case path != "/api/history":
		return false
	case a.history == nil:
		mistake(ctx, fasthttp.StatusNotFound, errNoState)
	case !ctx.IsGet() && !ctx.IsHead():
		notFor(ctx, "GET, HEAD")
	default:
		ctx.Response.Header.Set("Cache-Control", "no-store")
		asJSON(ctx, fasthttp.StatusOK, struct {
			Version int       `json:"version"`
			Started time.Time `json:"started"`
			Bounds  []float64 `json:"bounds"`
			Moments []Moment  `json:"moments"`
		}{StateVersion, a.began, a.history.of.Bounds, a.history.past()})
	}
	return true
}
