package memory

import (
	"sync"
	"time"

	"github.com/VictoriaMetrics/fastcache"
	"github.com/cespare/xxhash/v2"
)

// Options are what a Memory is built from.
type Options struct {
	// Size is how much the process may grow by this tier, in bytes: records,
	// index, and the garbage that the index leaves at GOGC=100. Least or more.
	Size int64

	// Files is how much of Size the bodies that are asked for most may have a
	// second time, as files that Lend gives; 0: there are none. What would leave
	// less than Least for the rest is not used.
	Files int64
}

// Room is how much room behind len(dst) keeps Find and Chunk from allocating,
// however long the record is.
const Room = ringChunk

// MaxKey is the length of the longest key that is kept.
const MaxKey = 8 << 10

// Memory is a tier of records under keys and of bodies in pieces. All methods
// but Load may be called at any time from any goroutine. What is passed in is
// borrowed until the call returns; what is returned belongs to the caller.
type Memory struct {
	ring   *fastcache.Cache
	plan   plan
	shards [rings]shard
	shelf  shelf

	past  past       // what the ring had counted before it was reset
	saves sync.Mutex // held by the one who saves
	stall time.Duration
}

// New returns an empty tier. It takes its memory as it is filled. The error
// names the size and the least one.
func New(o Options) (*Memory, error) {
	files := max(0, min(o.Files, o.Size-Least))
	p, err := divide(o.Size - files)
	if err != nil {
		return nil, err
	}
	m := &Memory{ring: fastcache.New(int(p.data)), plan: p, stall: saveStall}
	m.shelf.most, m.shelf.files = files, map[uint64]*Lent{}
	for i := range m.shards {
		m.shards[i].door = make([]uint32, p.slots)
	}
	return m, nil
}

// MaxRecord is the length of the longest record that is kept under a key of n
// bytes; negative if there is none.
func MaxRecord(n int) int {
	if n > MaxKey {
		return -1
	}
	return ringChunk - 1 - entryHead - n - stampSize
}

// Find appends the record under key to dst. The epoch is that of its Put. If
// there is none, dst comes back as it was. The bytes from there to cap(dst), up
// to Room, are overwritten.
func (m *Memory) Find(dst, key []byte) (rec []byte, epoch uint64, ok bool) {
	return m.find(dst, key, record)
}

func (m *Memory) find(dst, key []byte, k kind) ([]byte, uint64, bool) {
	h := xxhash.Sum64(key)
	s := &m.shards[h%rings]
	from := len(dst)
	dst, ok := m.ring.HasGet(dst, key)
	if !ok {
		s.missed.Add(1)
		return dst, 0, false
	}
	st, err := open(dst[from:], h, k)
	if err != nil {
		s.spoilt(err)
		return dst[:from], 0, false
	}
	if s.pos.Load()-st.at > m.plan.old {
		m.renew(s, key, st)
	}
	return dst[:from+st.len], st.epoch, true
}

// Put keeps rec under key, in place of what was there, and epoch with it. It
// returns false if either is too long; nothing is under key then.
func (m *Memory) Put(key, rec []byte, epoch uint64) bool {
	return m.put(key, rec, epoch, record)
}

func (m *Memory) put(key, rec []byte, epoch uint64, k kind) bool {
	if len(rec) > MaxRecord(len(key)) {
		m.Drop(key)
		return false
	}
	h := xxhash.Sum64(key)
	s := &m.shards[h%rings]
	buf := scratch.Get().(*[ringChunk]byte)
	v, sum := begin(buf[:0], rec, epoch, h, k)

	s.mu.Lock()
	v = s.pad(v, entryHead+len(key)+len(v)+tailSize, &m.plan)
	at := s.place(entryHead + len(key) + len(v) + tailSize)
	m.ring.Set(key, finish(v, at, len(rec), k, sum))
	s.mu.Unlock()

	scratch.Put(buf)
	return true
}

// Drop forgets the record under key. Its bytes stay in the ring until they are
// written over.
func (m *Memory) Drop(key []byte) {
	s := m.shard(key)
	s.mu.Lock()
	m.ring.Del(key)
	s.mu.Unlock()
}

func (m *Memory) shard(key []byte) *shard { return &m.shards[xxhash.Sum64(key)%rings] }

// Reset forgets everything that was put before it was called; a Put at the same
// time may or may not be among that.
func (m *Memory) Reset() {
	for i := range m.shards {
		m.shards[i].mu.Lock()
	}
	m.past.add(m.ring)
	m.shelf.reset()
	for i := range m.shards {
		m.shards[i].clear()
		m.shards[i].mu.Unlock()
	}
}

// renew puts the record under key to the front of its ring, if it is still the
// one of the stamp and nobody is writing to that ring: then the next hit will
// do. Dropping and replacing a record need mu, so what was looked at under mu
// is what is there, and what two of them saw is renewed by one.
func (m *Memory) renew(s *shard, key []byte, st stamp) {
	if !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	buf := scratch.Get().(*[ringChunk]byte)
	defer scratch.Put(buf)
	v, ok := m.ring.HasGet(buf[:0], key)
	s.asks.Add(1)
	if !ok || !unchanged(v, st) {
		return
	}
	move(v, s.place(entryHead+len(key)+len(v)))
	m.ring.Set(key, v)
	s.renewed.Add(1)
}

// scratch holds buffers in which values are put together.
var scratch = sync.Pool{New: func() any { return new([ringChunk]byte) }}
