package edge

import "errors"

var errReset = errors.New("edge: the stream was reset")

// noise is what a client does that costs it little: so much may come at once,
// and a part of that each second.
type noise struct {
	most int64
	had  int64 // since when there was none, as far as is counted
	at   int64 // the Guard's milliseconds
}

const (
	mostChatter = 10000 // PING, SETTINGS, PRIORITY, DATA without any
	mostResets  = 1000  // browsers give up dozens of streams when someone leaves a page
	refill      = 10    // seconds until all of it may come again
	smallGrant  = 64    // bytes
)

// allows tells whether one more may come.
func (n *noise) allows(now int64) bool {
	n.had = max(0, n.had-(now-n.at)*n.most/(refill*1000))
	n.at = now
	n.had++
	return n.had <= n.most
}

// early are the streams that we have ended before the client did: what of them
// was on its way is not the client's mistake. Of many, the oldest are
// forgotten.
type early struct {
	ids  [64]uint32
	next int
}

func (e *early) add(id uint32) {
	e.ids[e.next] = id
	e.next = (e.next + 1) % len(e.ids)
}

func (e *early) has(id uint32) bool {
	for _, had := range e.ids {
		if had == id {
			return true
		}
	}
	return false
}
