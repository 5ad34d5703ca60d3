package proxy

import (
	"sync"

	"multiserver/proxy/wire"
)

// posts are frames for the client that do not come from its backend. Who writes
// to the client holds the turn: the direction while it passes a piece on, a
// Post that finds nobody there, or the goroutine drain for what did not fit at
// once. The turn, not the lock, is held while bytes are written.
//
// While nobody has the turn nothing is queued that could go: the queue then
// waits for the end of the backend's message.
//
// One of thousands of clients is in no cache of a core when it is written to. So
// what a Post needs that goes at once comes first, within 64 bytes, and a copy
// of what it would have to look for elsewhere with it.
type posts struct {
	mu        sync.Mutex
	taken     bool // somebody has the turn
	posting   bool // a Post has it
	wanted    bool // it is waited for
	over      bool // nothing more is taken
	atFrame   bool // where the backend's stream stood when the direction yielded
	atMessage bool
	evicts    bool // beyond the budget the oldest is dropped
	dst       *wire.Conn
	guard     *wire.Guard
	wrote     int64 // bytes that the direction has not counted yet; of who has the turn
	queue     [][]byte

	cut    int        // bytes of queue[0] that have gone
	weight int        // of the queue
	budget int        // of weight
	sieve  *sieve     // nil: every message passes as it is
	passed *sync.Cond // the turn, to who waits for it; nil: nobody ever has
	drains sync.WaitGroup
}

const (
	usualBudget = 256 << 10
	frameWeight = 32 // what a queued frame costs beyond its bytes
)

func newPosts() *posts { return &posts{budget: usualBudget, taken: true} }

// Post has the client sent a frame: one whole message, or one control frame
// other than Close, not masked and not compressed. It is written between two
// messages of the backend, a control frame between two frames, and what is
// posted stays in order, but that control frames overtake messages that wait for
// the end of one. Post never waits, and may be called from any number of
// goroutines. The frame is shared and not copied: it must not be changed any
// more.
func (t *Tunnel) Post(frame []byte) Verdict {
	q := t.posts
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.over:
		return Closed
	case q.taken || !q.fits(frame):
		return q.push(frame)
	}
	q.taken, q.posting = true, true
	q.mu.Unlock()
	n, err := q.dst.Try(frame)
	t.wrote(n)
	q.mu.Lock()
	q.posting = false
	switch {
	case q.over:
		t.hand()
		return Closed
	case err != nil:
		t.breaks()
		t.hand()
		return Closed
	case n == len(frame):
		t.hand()
		return Written
	case n == 0 && q.weight+len(frame)+frameWeight > q.budget:
		t.hand()
		if q.evicts {
			return Evicted // what came meanwhile is newer
		}
		return Full
	}
	q.queue = append([][]byte{frame}, q.queue...) // before what has come meanwhile
	q.weight += len(frame) + frameWeight
	q.cut = n
	t.hand()
	return Queued
}

func (q *posts) push(frame []byte) Verdict {
	w, v := len(frame)+frameWeight, Queued
	for q.weight+w > q.budget {
		if !q.evicts || w > q.budget || !q.evict() {
			return Full
		}
		v = Evicted
	}
	q.queue = append(q.queue, frame)
	q.weight += w
	return v
}

// evict drops the oldest message of which nothing has gone, and tells whether
// there was one.
func (q *posts) evict() bool {
	for i, f := range q.queue {
		if (i > 0 || q.cut == 0) && f[0]&0x0f < opClose {
			cut := q.cut
			q.remove(i)
			q.cut = cut
			return true
		}
	}
	return false
}

// fits tells whether frame can go where the stream stands.
func (q *posts) fits(frame []byte) bool {
	if frame[0]&0x0f >= opClose {
		return q.atFrame
	}
	return q.atMessage
}

// next is which of the queue can go now; less than 0: none.
func (q *posts) next() int {
	switch {
	case len(q.queue) == 0:
		return -1
	case q.cut > 0 || q.atMessage:
		return 0
	}
	if q.atFrame {
		for i, f := range q.queue {
			if f[0]&0x0f >= opClose {
				return i
			}
		}
	}
	return -1
}

// seize waits for the turn, which the others hold for one frame at most.
func (q *posts) seize() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.taken {
		q.taken = true
		return
	}
	q.await()
}

// await waits until the turn is passed on; mu is held.
func (q *posts) await() {
	if q.passed == nil {
		q.passed = sync.NewCond(&q.mu)
	}
	for q.wanted = true; q.wanted; {
		q.passed.Wait()
	}
}

// grab takes the turn if it is free.
func (q *posts) grab() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	free := !q.taken
	q.taken = true
	return free
}

// passInTurn is pass between what is posted.
func (d *direction) passInTurn() (more bool) {
	q := d.t.posts
	q.seize()
	if q.sieve == nil || d.mute {
		more = d.pass()
	} else {
		more = d.passThrough(q.sieve)
	}
	d.t.yield()
	return more
}

// passThrough passes on what the sieve leaves of what has been read.
func (d *direction) passThrough(s *sieve) bool {
	b := d.src.Buffered()
	out := s.Pass(s.out[:0], b, d.t.heard)
	d.src.Skip(len(b))
	s.out = out
	if cap(out) > cheapCopy {
		s.out = nil
	}
	return d.give(out) && !s.over
}

func (t *Tunnel) heard(message []byte) { t.route.Watch.Heard(t, message) }

// last ends the posts, behind what the sieve holds back.
func (d *direction) last() error {
	q := d.t.posts
	q.seize()
	if q.sieve != nil && len(q.sieve.head) > 0 {
		d.lost = d.dst.Write(q.sieve.head, nil)
	}
	q.mu.Lock()
	q.end()
	q.mu.Unlock()
	d.t.yield()
	return d.lost
}

// yield is for the direction, behind what it has written.
func (t *Tunnel) yield() {
	q := t.posts
	q.mu.Lock()
	defer q.mu.Unlock()
	f := &t.down.frames
	q.atFrame, q.atMessage = f.AtFrame(), f.AtMessage()
	if f.closed || f.lost || t.down.mute || t.down.lost != nil {
		q.end()
	}
	t.tally()
	t.hand()
}

// hand passes the turn on: to the direction if it waits and no frame is cut in
// two, else to drain if there is something for it. mu is held.
func (t *Tunnel) hand() {
	q := t.posts
	switch {
	case q.wanted && q.cut == 0:
		q.wanted = false
		q.passed.Signal()
	case q.next() >= 0:
		q.drains.Go(t.drain)
	default:
		q.taken = false
	}
}

// drain writes what can go, at the client's pace, as long as the direction does
// not want the turn.
func (t *Tunnel) drain() {
	defer t.rescue()
	q := t.posts
	q.mu.Lock()
	for !q.wanted || q.cut > 0 {
		i := q.next()
		if i < 0 {
			break
		}
		f, cut := q.queue[i], q.cut
		q.remove(i)
		q.weight += len(f) + frameWeight // it counts until it has gone
		q.mu.Unlock()
		err := t.put(f[cut:])
		q.mu.Lock()
		if err != nil {
			t.breaks()
		}
		if q.over {
			break
		}
		q.weight -= len(f) + frameWeight
	}
	if q.taken = q.wanted; q.wanted {
		q.wanted = false
		q.passed.Signal()
	}
	q.mu.Unlock()
}

// flush is drain for the direction itself, before its last word.
func (t *Tunnel) flush() (err error) {
	q := t.posts
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := q.next(); i >= 0 && err == nil; i = q.next() {
		f := q.queue[i]
		q.remove(i)
		q.mu.Unlock()
		err = t.put(f)
		q.mu.Lock()
	}
	return err
}

// put writes f, waiting for the client; the turn is the caller's.
func (t *Tunnel) put(f []byte) error {
	err := t.posts.dst.Write(f, nil)
	if err == nil {
		t.wrote(len(f))
	}
	return err
}

func (q *posts) remove(i int) {
	q.weight -= len(q.queue[i]) + frameWeight
	q.cut = 0
	q.queue[i] = nil
	if i == 0 {
		q.queue = q.queue[1:]
		return
	}
	q.queue = append(q.queue[:i], q.queue[i+1:]...)
}

// wrote counts what the client got; the turn is the caller's.
func (t *Tunnel) wrote(n int) {
	q := t.posts
	q.wrote += int64(n)
	t.last.Store(q.guard.Now())
}

// tally has the direction count it, too; the turn is the caller's.
func (t *Tunnel) tally() {
	t.down.passed += t.posts.wrote
	t.posts.wrote = 0
}

// breaks ends a tunnel whose client is gone; mu is held.
func (t *Tunnel) breaks() {
	t.posts.end()
	t.cut()
}

// end drops what is queued; mu is held.
func (q *posts) end() {
	q.over = true
	q.queue, q.weight, q.cut = nil, 0, 0
}

// close ends the posts of a tunnel that has ended. Nobody writes any more when it
// returns: the socket's number will be another client's.
func (t *Tunnel) close() {
	q := t.posts
	q.mu.Lock()
	q.end()
	if q.posting {
		q.await()
	}
	q.mu.Unlock()
	q.drains.Wait()
	t.tally()
	t.route.Watch.End(t)
}
