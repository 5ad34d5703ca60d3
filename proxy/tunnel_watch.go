package proxy

import (
	"bytes"
	"time"
)

// Watcher takes part in WebSockets: it is asked before each handshake, told of
// each tunnel's begin and end, may write to the client in between (Post), and
// hears what a backend says to it and to nobody else. Its methods are called
// by the goroutines that pass bytes on: they must not block, and may call Post
// and Close, from Begin on.
//
// For each tunnel that is asked about the calls come in order: Ask, and if the
// handshake succeeds Begin, any number of Heard, and one End. A handshake that
// leads nowhere ends with Ask.
type Watcher interface {
	// Ask is called before the handshake goes to an upstream, once however
	// many are tried. What the upstream is to be told goes by x.Ask, what the
	// client by x.Tell. x is borrowed until it returns. false: this one is not
	// watched, and nothing more is called.
	Ask(t *Tunnel, x *Exchange) bool

	// Begin is called with the upstream's 101 in x.Res, before the client has
	// it, which x.Tell can change; x is borrowed until it returns. What is
	// posted from here on follows the 101.
	Begin(t *Tunnel, x *Exchange) Terms

	// Heard is called for each message that Terms.Eat is for, without the
	// prefix. message is borrowed until it returns.
	Heard(t *Tunnel, message []byte)

	// End is called when both directions have ended; Post is of no use any
	// more.
	End(t *Tunnel)
}

// Terms are those of one tunnel.
type Terms struct {
	// Eat and Strip are prefixes of text messages of the backend, as GRIP has
	// them (c: and m:). A message that begins with Eat goes to Heard and not to
	// the client; from one that begins with Strip the prefix is taken. Messages
	// that are compressed are not looked at, and a prefix must lie in the first
	// frame of its message. nil: there is none.
	Eat, Strip []byte

	Budget int  // bytes that may be queued for the client by Post; 0: 256 KiB
	Evict  bool // beyond it the oldest messages are dropped, and not the newest
}

// Verdict is what became of a frame that was posted; it is the label of metrics.
type Verdict uint8

// The verdicts.
const (
	Written  Verdict = iota // the client's socket has it
	Queued                  // it follows as soon as the client, and the stream, let it
	Evicted                 // over budget: it is queued, and older ones are not sent
	Full                    // over budget: it is not sent
	Closed                  // the tunnel has ended, or is at no boundary ever again
	Verdicts                // how many there are
)

func (v Verdict) String() string {
	return [Verdicts]string{"written", "queued", "evicted", "full", "closed"}[v]
}

// watched makes the tunnel of a handshake, if there is somebody to watch it.
func (x *Exchange) watched() {
	if w := x.route.Watch; w != nil {
		if t := (&Tunnel{posts: newPosts()}); w.Ask(t, x) {
			x.tunnel = t
		}
	}
}

// begin asks for the terms. The turn is taken: nothing overtakes the 101.
func (t *Tunnel) begin(x *Exchange) {
	q := t.posts
	q.dst, q.guard = t.down.dst, t.p.opt.Guard
	terms := t.route.Watch.Begin(t, x)
	if len(terms.Eat)+len(terms.Strip) > 0 {
		q.sieve = &sieve{eat: bytes.Clone(terms.Eat), strip: bytes.Clone(terms.Strip)}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if terms.Budget > 0 {
		q.budget = terms.Budget
	}
	q.evicts = terms.Evict
}

// Near has what Post looks at fetched from memory: it reads what nobody writes,
// or by atomics, in each place. What it returns is of no account.
func (t *Tunnel) Near() int64 { return t.last.Load() + t.posts.dst.Near() }

// Quiet is for how long no byte has passed, either way, as exactly as limits are
// kept.
func (t *Tunnel) Quiet() time.Duration {
	return time.Duration(t.p.opt.Guard.Now()-t.last.Load()) * time.Millisecond
}

// Close says Close with this code and reason (RFC 6455 §7.4, up to 123 bytes)
// to the client at the end of the frame under way, and ends the tunnel a moment
// later, whatever the client does: also one that does not read. What was posted
// before goes first, as far as it can. Only the first Close counts.
func (t *Tunnel) Close(code uint16, reason string) {
	reason = reason[:min(len(reason), 123)]
	f := append([]byte{finBit | opClose, byte(2 + len(reason)), byte(code >> 8), byte(code)}, reason...)
	if !t.word.CompareAndSwap(nil, &f) {
		return
	}
	t.p.tunnels.remove(t)
	t.told.Store(true)
	t.rouse()
	t.down.dst.EndWrites(farewell)
}
