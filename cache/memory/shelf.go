package memory

import (
	"os"
	"sync"
	"sync/atomic"
)

// shelf has copies of the bodies that are asked for most, each as a file in
// memory, which the kernel sends from without copying a byte. A copy is made
// for a body that was asked for hotAsks times of late, in the place of those
// that were asked for less often.
type shelf struct {
	mu    sync.Mutex
	most  int64            // bytes of all files
	taken int64            // guarded by mu
	files map[uint64]*Lent // guarded by mu; by id of the body
	asked [4 << 10]uint8   // guarded by mu; how often of late, by id, what has no file
	turn  int              // guarded by mu; asks until late is over
}

const (
	hotAsks  = 8
	late     = 8 << 10 // asks; then all counts are halved
	maxFiles = 128     // each takes a descriptor
	maxShare = 4       // no body takes more than a quarter of all
	tendings = 16      // of a piece in the ring, in one lap
)

// Lent is a body as a file. It is held until Return.
type Lent struct {
	s    *shelf
	id   uint64
	size int64
	read []atomic.Uint64 // of each piece in the ring: where that was when it was read
	f    *os.File        // nil: it is being made
	fd   int
	uses uint32 // guarded by s.mu; of late
	refs int    // guarded by s.mu
	gone bool   // guarded by s.mu; closed with the last Return
}

// Fd is the file's descriptor.
func (l *Lent) Fd() int { return l.fd }

// Return ends the use of l.
func (l *Lent) Return() {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.refs--; l.gone && l.refs == 0 {
		l.close()
	}
}

func (l *Lent) close() {
	l.s.taken -= l.size
	_ = l.f.Close()
}

// Lend is body id of that length, which lies in pieces of ChunkSize, as a file;
// nil if there is none. Each call counts as an ask.
func (m *Memory) Lend(id uint64, length int64) *Lent {
	l, made := m.shelf.find(id, length)
	switch {
	case l == nil:
		return nil
	case !made:
		return m.shelf.put(l, m.copied(l))
	}
	m.tend(l)
	return l
}

// tend reads the pieces in the ring now and then, so that they are renewed there:
// that they are there is what tells that the body is, and nobody else reads them.
func (m *Memory) tend(l *Lent) {
	for n := range l.read {
		read, pos := &l.read[n], m.piecePos(l.id, n)
		if at := read.Load(); pos-at > m.plan.ring/tendings && read.CompareAndSwap(at, pos) {
			buf := scratch.Get().(*[ringChunk]byte)
			m.Chunk(buf[:0], l.id, uint32(n))
			scratch.Put(buf)
		}
	}
}

// piecePos is where the ring of piece n writes next.
func (m *Memory) piecePos(id uint64, n int) uint64 {
	var key [pieceKey]byte
	name(&key, id, uint32(n))
	return m.shard(key[:]).pos.Load()
}

// find tells whether the file is there; else it has yet to be made.
func (s *shelf) find(id uint64, length int64) (l *Lent, made bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l = s.files[id]; l != nil {
		l.uses++
		if l.f == nil {
			return nil, false
		}
		l.refs++
		return l, true // fast path
	}
	if length > s.most/maxShare || s.ask(id) < hotAsks || !s.clear(length, uint32(s.asked[id%uint64(len(s.asked))])) {
		return nil, false
	}
	l = &Lent{s: s, id: id, size: length, refs: 1, uses: hotAsks}
	s.files[id] = l
	s.taken += length
	return l, false
}

// ask counts. It is called with mu held, as what follows is.
func (s *shelf) ask(id uint64) uint8 {
	if s.turn--; s.turn < 0 {
		s.turn = late
		for i := range s.asked {
			s.asked[i] /= 2
		}
		for _, l := range s.files {
			l.uses /= 2
		}
	}
	n := &s.asked[id%uint64(len(s.asked))]
	if *n < 255 {
		*n++
	}
	return *n
}

// clear makes room for length bytes that were asked for so often.
func (s *shelf) clear(length int64, uses uint32) bool {
	for s.taken+length > s.most || len(s.files) >= maxFiles {
		var least uint64
		var l *Lent
		for id, other := range s.files {
			if other.refs == 0 && (l == nil || other.uses < l.uses) {
				least, l = id, other
			}
		}
		if l == nil || l.uses >= uses {
			return false
		}
		delete(s.files, least)
		l.close()
	}
	return true
}

// copied is the file; nil: it cannot be had.
func (m *Memory) copied(l *Lent) *os.File {
	f, err := newFile()
	if err != nil {
		return nil
	}
	buf := scratch.Get().(*[ringChunk]byte)
	defer scratch.Put(buf)
	l.read = make([]atomic.Uint64, (l.size+ChunkSize-1)/ChunkSize)
	for n := range l.read {
		l.read[n].Store(m.piecePos(l.id, n))
		p, ok := m.Chunk(buf[:0], l.id, uint32(n))
		if ok {
			_, err = f.Write(p)
		}
		if !ok || err != nil {
			_ = f.Close()
			return nil
		}
	}
	return f
}

// put makes f what l is of.
func (s *shelf) put(l *Lent, f *os.File) *Lent {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		s.taken -= l.size
		if s.files[l.id] == l {
			delete(s.files, l.id)
		}
		return nil
	}
	l.f, l.fd = f, int(f.Fd())
	return l
}

// reset lets go of all files.
func (s *shelf) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, l := range s.files {
		delete(s.files, id)
		if l.gone = true; l.refs == 0 {
			l.close()
		}
	}
	clear(s.asked[:])
}
