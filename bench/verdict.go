//go:build linux

package main

import (
	"fmt"
	"slices"
	"time"
)

var faultsHead = []string{"round", "fault", "gets", "get_errors_first", "get_errors_then", "get_cut_first", "get_cut_then", "get_broken",
	"get_p99_ms", "get_max_ms", "posts", "post_errors", "post_cut", "post_broken", "post_max_ms", "served_again_ms", "last_error_ms"}

// A toll is what one trouble cost.
type toll struct {
	spell
	gets, posts       int
	getError, getCut  [2]int // in the first moment, and later
	getBroke          int
	postError         int
	postCut           int
	postBroke         int
	p99, most, mostPo time.Duration
	served            time.Duration // from the return until all who failed answer, and go on to; < 0: they never did
	last              time.Duration // from the return until the last error began; 0: there was none
}

func (s spell) toll(all []event) toll {
	l := toll{spell: s, served: -1}
	var took []time.Duration
	back := map[string][]time.Duration{}
	for _, e := range all {
		if ended := e.began + e.took; ended < s.from || ended >= s.end {
			continue // one under way when a trouble begins belongs to that, not to the one before
		}
		later := 0
		if e.began > s.from+faultsFirst {
			later = 1
		}
		bad := e.end != Good
		if bad && e.began > s.to {
			l.last = max(l.last, e.began-s.to)
		}
		if !bad && e.began > s.to {
			back[e.origin] = append(back[e.origin], e.began+e.took-s.to)
		}
		switch {
		case e.post:
			l.posts++
			l.mostPo = max(l.mostPo, e.took)
			count(e.end, &l.postError, &l.postCut, &l.postBroke)
		default:
			l.gets++
			took = append(took, e.took)
			count(e.end, &l.getError[later], &l.getCut[later], &l.getBroke)
		}
	}
	slices.Sort(took)
	if n := len(took); n > 0 {
		l.p99, l.most = took[n*99/100], took[n-1]
	}
	for _, g := range s.who {
		at, ok := steadySince(back[g.ID], s.end-s.to)
		if !ok {
			l.served = -1
			break
		}
		l.served = max(l.served, at)
	}
	return l
}

// outFor is the silence that shows one to be out: each answers some hundred times in it.
const outFor = 300 * time.Millisecond

// steadySince is when an origin that answered at those times last began to do so steadily.
func steadySince(at []time.Duration, end time.Duration) (time.Duration, bool) {
	if len(at) == 0 {
		return 0, false
	}
	slices.Sort(at)
	since := at[0]
	for i := 1; i < len(at); i++ {
		if at[i]-at[i-1] > outFor {
			since = at[i]
		}
	}
	return since, end-at[len(at)-1] <= outFor
}

// back is when all who had failed were in service again.
func (l *toll) back() string {
	if l.served < 0 {
		return "never within " + faultsMost.String()
	}
	return l.served.Round(time.Millisecond).String()
}

func count(e ending, failed, cut, broke *int) {
	switch e {
	case Error:
		*failed++
	case Cut:
		*cut++
	case Broke:
		*broke++
	}
}

func (f *Field) faultsReport(round int, spells []spell, all []event, counted map[string]int) {
	fmt.Fprintf(f, "round %d: %d clients, a request every %v each, every third a POST; three origins; a fault lasts %v\n%s\n\n",
		round+1, tallyConns, tallyEvery, f.Time, faultsSetup())
	rows := [][]string{{"fault", "GETs", "errors first", "then", "cut first", "then", "no answer", "p99 ms", "max ms",
		"POSTs", "errors", "cut", "no answer", "max ms", "back after", "last error after"}}
	var tolls []toll
	for _, s := range spells {
		l := s.toll(all)
		tolls = append(tolls, l)
		line := []string{l.Name, fmt.Sprint(l.gets), fmt.Sprint(l.getError[0]), fmt.Sprint(l.getError[1]), fmt.Sprint(l.getCut[0]), fmt.Sprint(l.getCut[1]),
			fmt.Sprint(l.getBroke), ms(l.p99), ms(l.most), fmt.Sprint(l.posts), fmt.Sprint(l.postError), fmt.Sprint(l.postCut), fmt.Sprint(l.postBroke), ms(l.mostPo)}
		rows = append(rows, append(slices.Clone(line), l.back(), l.last.Round(time.Millisecond).String()))
		f.table = append(f.table, append(append([]string{fmt.Sprint(round + 1)}, line...), ms(l.served), ms(l.last)))
	}
	f.lines(rows)
	fmt.Fprintf(f, "first: within %v, %d checks and their time-out; back: the origin answers again, after the fault is over\n", faultsFirst, faultsFall)
	f.faultsPromises(tolls, all, counted)
	f.examples(all)
}

func (f *Field) faultsPromises(tolls []toll, all []event, counted map[string]int) {
	for _, l := range tolls {
		if !l.All {
			cut := l.getCut[1]
			if l.Cuts {
				cut = 0
			}
			f.promise(l.getError[1]+cut+l.getBroke == 0, "%s: no GET fails while others live (%d errors, %d cut, %d without an answer; in the first %v %d and %d)",
				l.Name, l.getError[1], l.getCut[1], l.getBroke, faultsFirst, l.getError[0], l.getCut[0])
		}
		back, every := faultsBack, fmt.Sprint("one check is ", faultsCheck)
		if l.Move {
			back, every = faultsFound, fmt.Sprint("one look-up is ", faultsResolve)
		}
		if l.None {
			f.promise(l.getError[0]+l.getCut[0] == 0, "%s: no GET fails at first, either (%d errors, %d cut)", l.Name, l.getError[0], l.getCut[0])
		}
		f.promise(l.served >= 0 && l.served <= back, "%s: back in service %s after its return, %s", l.Name, l.back(), every)
		f.promise(l.last <= back, "%s: the last error %v after its return", l.Name, l.last.Round(time.Millisecond))
	}
	lost, doubled := audit(all, counted)
	mixed, posts := 0, 0
	for _, e := range all {
		if e.end == Mixed {
			mixed++
		}
		if e.post {
			posts++
		}
	}
	f.promise(len(lost) == 0, "%d of %d POSTs lost: the client was told it was done, and no origin counted it %.5q", len(lost), posts, lost)
	f.promise(len(doubled) == 0, "%d of %d POSTs doubled %.5q", len(doubled), posts, doubled)
	f.promise(mixed == 0, "%d of %d answers mixed up", mixed, len(all))
}

// examples logs what failed, for who looks for the cause; a few of each kind.
func (f *Field) examples(all []event) {
	seen := map[string]int{}
	for _, e := range all {
		if e.end == Good {
			continue
		}
		kind := fmt.Sprintf("post %v, ending %d, status %d, origin %q, %s", e.post, e.end, e.status, e.origin, e.why)
		if seen[kind]++; seen[kind] <= 2 {
			f.Log("at %v after %v: %s: %s\n", e.began.Round(time.Millisecond), e.took.Round(time.Millisecond), e.tag, kind)
		}
	}
}
