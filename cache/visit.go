package cache

import (
	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// Room is how many bytes stay free in front of a record that was found, for
// the status line and the fields that only a hit has.
const Room = 512

// Verdict is what Find makes of a request.
type Verdict uint8

const (
	Pass    Verdict = iota // none of the cache's business: forward it as it is
	Hit                    // Entry answers it
	Miss                   // forward it, with what AppendConditions says, and tell Answered
	Refused                // it wanted a stored answer or none: 504
)

// Visit is what one exchange has to do with the cache. The zero value is
// ready; End makes it ready for the next one. All it lends is good up to End.
type Visit struct {
	Entry Entry // of a Hit; of a Miss: what is there, but cannot be used unasked

	// What Cache-Status says of it.
	Tier      Tier
	Why       Reason // why it was forwarded
	Collapsed bool   // another request's fetch answered it
	Stored    bool   // the answer is being stored
	Refresh   bool   // of a Hit: it is to be refreshed behind this answer
	Now       int64  // Unix ms, as of Find

	c        *Cache
	key      []byte // of the target, and what keeps it apart; buffer reused
	bare     int    // how much of key is of the target alone: what purges name
	at       []byte // where its answer lies: key, or key and variant; buffer reused
	alias    []byte // where it lies for all who want its language most; buffer reused
	names    []byte // what answers here vary by, if they do; buffer reused
	gen      uint64 // the generation of the variants
	vary     bool   // names are known
	buf      []byte // from wire.AcquireBuffer: what was found, behind Room
	found    []byte // the same, or larger
	wish     rule.Wish
	fills    bool    // the answer may be stored
	asks     bool    // Entry's validators are sent
	rest     bool    // Entry is a part, and what lacks is asked for
	doubt    bool    // what memory holds may have been dropped elsewhere
	from     int64   // Unix ms: when the request was forwarded
	seq      uint64  // the last purge then
	epoch    uint64  // of the link to the second tier then
	changes  uint64  // of key until then
	id       uint64  // of the chunks being written
	fetch    *flight // that this exchange leads
	lease    *lease  // that this node holds; nil: none
	grows    bool    // names are new, and not stored yet
	orphan   bool    // fetch was spoiled before: nobody finds it any more, to spoil it again
	away     bool    // the second tier did not answer in time: it is not asked again
	isBehind bool    // it holds a place of those
	write    fill

	terms         rule.Terms
	scratch, tags []byte // buffers reused
	far           []byte // what came from the second tier; kept up to End
}

// leave notes the state of things as the request is forwarded: what changes
// later, the answer may not know of.
func (v *Visit) leave() {
	v.from, v.seq, v.epoch = v.c.opt.Clock(), v.c.marks.Last(), v.c.epoch()
	v.changes = v.c.changes.of(v.key).Load()
	v.orphan = v.fetch != nil && v.fetch.spoiled.Load()
}

// spoiled tells whether what v fetches was dropped or replaced since it was
// forwarded.
func (v *Visit) spoiled() bool {
	if v.fetch != nil && !v.orphan {
		return v.fetch.spoiled.Load()
	}
	return v.c.changes.of(v.key).Load() != v.changes
}

// lighten gives the buffer back if there is no Entry in it: not to be held
// while others are waited for.
func (v *Visit) lighten() {
	if v.buf != nil && !v.Entry.There() {
		wire.ReleaseBuffer(v.buf)
		v.buf, v.found = nil, nil
	}
}

// End lets go of all it holds; who waits for this fetch, if it was not landed,
// may try.
func (v *Visit) End() {
	if v.c == nil {
		return // fast path: there was no visit
	}
	v.land(failed)
	if v.isBehind {
		<-v.c.behind
	}
	v.write.end()
	if v.buf != nil {
		wire.ReleaseBuffer(v.buf)
	}
	*v = Visit{ // the buffers stay
		key: v.key[:0], at: v.at[:0], names: v.names[:0], alias: v.alias[:0], scratch: v.scratch[:0], tags: v.tags[:0],
		write: v.write, terms: rule.Terms{Drop: v.terms.Drop[:0]},
	}
}

// land ends the flight this exchange leads, if it does.
func (v *Visit) land(o outcome) {
	if v.lease != nil {
		v.lease.release()
		v.lease = nil
	}
	if v.fetch != nil {
		v.c.flights.land(v.fetch, o)
		v.fetch = nil
	}
}

// Active tells whether the answer is the cache's business.
func (v *Visit) Active() bool { return v.fills }

// Visited tells whether the cache was asked at all.
func (v *Visit) Visited() bool { return v.c != nil }
