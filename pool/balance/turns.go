package balance

// maxTurns bounds an order of turns; weights are scaled down to fit.
const maxTurns = 1 << 16

// turns are the weights divided by their greatest common divisor, and scaled
// down if their sum is still too large; nobody falls below 1.
func turns(hosts []Host) []uint64 {
	w := make([]uint64, len(hosts))
	var div, sum uint64
	for i := range hosts {
		w[i] = hosts[i].weight()
		div = gcd(div, w[i])
		sum += w[i]
	}
	sum /= div
	for i := range w {
		w[i] /= div
		if sum > maxTurns {
			w[i] = max(w[i]*maxTurns/sum, 1)
		}
	}
	return w
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// smooth lays the turns out so that nobody is ever ahead of its share by a
// whole turn, nor behind by one: earliest eligible virtual deadline first
// (Stoica, Abdel-Wahab 1995). A host's k-th turn, of w, may begin when k/w of
// the round has gone by and should when (k+1)/w has. With the earliest deadline
// alone weights 5, 1, 1 would give a a a a a b c; this is a b a a c a a.
//
// The queue keeps it at O(turns · log hosts), since a thousand hosts of many
// weights are laid out at every change of health.
func smooth(w []uint64) []uint16 {
	var sum uint64
	for _, n := range w {
		sum += n
	}
	var (
		order = make([]uint16, sum)
		begin = make([]uint16, sum)    // who may begin with which turn: the last one, +1
		also  = make([]uint16, len(w)) // and the one before it, +1
		taken = make([]uint64, len(w))
		ready queue
	)
	for i, n := range w {
		ready.push(deadline(sum, n, i))
	}
	for t := range order {
		for i := begin[t]; i > 0; i = also[i-1] {
			ready.push(deadline((taken[i-1]+1)*sum, w[i-1], int(i-1)))
		}
		i := uint16(ready.pop()) // the low half of a deadline is whose
		order[t] = i
		if taken[i]++; taken[i] < w[i] {
			at := (taken[i]*sum + w[i] - 1) / w[i] // rounded up, and so after t
			also[i], begin[at] = begin[at], i+1
		}
	}
	return order
}

// deadline sorts by end/w, a time in turns, then by host. Of the fraction 29
// bits fit; ends within one turn may come in either order.
func deadline(end, w uint64, host int) uint64 { return end<<29/w<<16 | uint64(host) }

// queue is a heap, the least on top. container/heap would allocate for each
// number.
type queue []uint64

func (q *queue) push(x uint64) {
	h := append(*q, x)
	i := len(h) - 1
	for i > 0 && h[(i-1)/2] > x {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = x
	*q = h
}

func (q *queue) pop() uint64 {
	h := *q
	top, x := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	*q = h
	i := 0
	for k := 1; k < len(h); k = 2*i + 1 {
		if k+1 < len(h) && h[k+1] < h[k] {
			k++
		}
		if h[k] >= x {
			break
		}
		h[i] = h[k]
		i = k
	}
	if len(h) > 0 {
		h[i] = x
	}
	return top
}
