package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"multiserver/cache"
	"multiserver/cache/part"
	"multiserver/pool"
	"multiserver/proxy/wire"
	"multiserver/sync/session"
)

// Exchange is one request and its answer: what the steps share. It is pooled;
// nothing keeps it, or anything it lends, after finish.
type Exchange struct {
	noCopy noCopy

	Client *Client
	Req    wire.Request  // borrowed from the client's connection
	Res    wire.Response // borrowed from the upstream's

	routes *Routes // that it counts as a user of
	route  *Route
	pool   *Pool          // of the route's
	cache  *cache.Cache   // of the route's, or of the pool's share of it
	up     *pool.Upstream // of the present try
	link   *pool.Link     // nil: none
	tunnel *Tunnel        // of a handshake that somebody watches; else nil
	taken  bool           // a slot of up's
	in     bool           // a place in the process
	tried  pool.Tried
	visit  cache.Visit // what it has to do with the cache
	ranges part.Ranges // that are sent of a stored answer
	fault  *pool.Fault // of the last try that failed

	session session.Visit
	bound   []byte // what upstreams are told of the session

	ask     Edits  // of what upstreams are sent
	path    []byte // that they are asked for in place of the client's; empty: that
	tell    Edits  // of what the client is answered
	asked   Edits  // those, while an answer is dressed
	dressed []byte // a head with edits, or before them
	code    coding // of the answer's body

	body      []byte // a buffered request body; borrowed from the client's connection, or chunks
	early     []byte // what of a streamed one was here before an upstream was asked
	chunks    []byte // all of it, framed
	upload    upload // a request body that flows
	held      held   // of it, what was read before
	inBody    wire.Body
	outBody   wire.Body
	out       []byte // what is written next; nil or from wire.AcquireBuffer
	up1xx     int    // interim answers so far
	resent    int    // tries after one whose request may have been read
	inSession bool   // session is asked for what the answer says of it
	settled   bool   // it has done what an answer asked for
	switching bool   // it is a handshake that an upstream is asked for
	began     bool   // the client has a part of the final answer
	informed  bool   // the client has an interim answer
	goAhead   bool   // 100 Continue was one
	close     bool   // this exchange is its connection's last
	unread    bool   // the client may be sending what nobody will read
	broken    bool   // the client's connection cannot be used any more
	detached  bool   // its tunnel, or its upstream's turn, has it, and finishes it
	lean      bool   // its route has nothing that may have to be waited for
	brief     bool   // so was all of it, but for the upstream's answer
	declined  bool   // it was not served in a turn, after all
	lost      bool   // it panicked, and is not to be used again
	torn      bool   // a piece of a stored answer was gone
	cut       bool   // only a reset tells the client that the answer is not whole

	status int
	sent   int64         // body bytes to the client
	start  time.Duration // on clock; 0: nobody wants to know
	tryAt  time.Duration // on clock: the present try; 0: nobody wants to know
	waited time.Duration // for the last try's answer, if there is a start
	what   string        // why the answer is one of our own
	after  string        // why the last try but one failed
	id     [32]byte      // X-Request-Id when it is ours
	hasID  bool
	shard  uint8 // of a Tally: of Exchanges, and so of cores
}

type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

var exchanges = sync.Pool{New: func() any { return &Exchange{shard: uint8(made.Add(1) % shards)} }}

var made atomic.Uint32

func acquireExchange(c *Client) *Exchange {
	x := exchanges.Get().(*Exchange)
	x.Client = c
	return x
}

func (x *Exchange) release() {
	x.part()
	if x.lost {
		return // to the collector
	}
	x.reset()
	x.pass()
}

// pass is release for one that was reset.
func (x *Exchange) pass() {
	x.Client = nil
	exchanges.Put(x)
}

// reset makes x ready for the next request of its client.
func (x *Exchange) reset() {
	x.part()
	if x.out != nil {
		wire.ReleaseBuffer(x.out)
		x.out = nil
	}
	if x.inSession {
		x.session.Reset()
	}
	x.route, x.pool, x.cache, x.up, x.link, x.fault, x.body = nil, nil, nil, nil, nil, nil, nil
	x.tunnel = nil
	x.held.let()
	x.bound = x.bound[:0]
	x.ask.reset()
	x.tell.reset()
	x.path = x.path[:0]
	x.early, x.chunks = emptied(x.early), emptied(x.chunks)
	x.tried.Reset()
	x.up1xx, x.resent, x.Res.Status = 0, 0, 0
	x.upload.began, x.upload.err = false, nil
	x.began, x.informed, x.goAhead, x.hasID, x.switching, x.inSession, x.settled = false, false, false, false, false, false, false
	x.close, x.unread, x.broken, x.cut = false, false, false, false
	x.lean, x.brief, x.declined, x.torn = false, false, false, false
	x.status, x.sent, x.start, x.tryAt, x.waited, x.what, x.after = 0, 0, 0, 0, 0, "", ""
}

// emptied keeps room for bodies of the usual size.
func emptied(b []byte) []byte {
	if cap(b) > wire.HeadBuffer {
		return nil
	}
	return b[:0]
}

// wreck ends what x held when it panicked: nothing of it is used again.
func (x *Exchange) wreck() {
	x.broken, x.lost = true, true
	if x.upload.began && x.link != nil {
		x.link.Interrupt()
		x.Client.InterruptRead()
		<-x.upload.done
	}
	if x.link != nil {
		x.link.Drop()
		x.link = nil
	}
	x.code.reset()
	x.held.let()
	x.give(nil)
}

// buffer is x.out emptied, with room for a message of n bytes and what a proxy
// adds to it.
func (x *Exchange) buffer(n int) []byte {
	const added = 512
	if cap(x.out) < n+added {
		if x.out != nil {
			wire.ReleaseBuffer(x.out)
		}
		x.out = wire.AcquireBuffer(n + added)
	}
	return x.out[:0]
}

// isHead tells whether the answer has a head only.
func (x *Exchange) isHead() bool { return string(x.Req.Method) == "HEAD" }

// idempotent tells whether sending the request twice means the same as
// sending it once (RFC 9110 §9.2.2).
func (x *Exchange) idempotent() bool {
	switch string(x.Req.Method) {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return true
	}
	return false
}
