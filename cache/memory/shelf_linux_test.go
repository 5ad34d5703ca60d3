package memory

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// shelved is a Memory with room for so many bytes of files.
func shelved(t *testing.T, files int64) *Memory {
	t.Helper()
	m, err := New(Options{Size: 96 << 20, Files: files})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Reset)
	return m
}

// body puts one of n bytes, which its id tells.
func (m *Memory) body(id uint64, n int) []byte {
	r := rand.New(rand.NewPCG(id, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	for i := 0; i*ChunkSize < n; i++ {
		m.PutChunk(id, uint32(i), b[i*ChunkSize:min(n, (i+1)*ChunkSize)])
	}
	return b
}

// lent asks until there is a file, most times at most, and tells how often that
// was; 0: there was none.
func (m *Memory) lent(id uint64, n, most int) (asked int, l *Lent) {
	for asked = 1; asked <= most; asked++ {
		if l = m.Lend(id, int64(n)); l != nil {
			return asked, l
		}
	}
	return 0, nil
}

func holds(t *testing.T, l *Lent, want []byte) {
	t.Helper()
	got := make([]byte, len(want)+1)
	if n, err := syscall.Pread(l.Fd(), got, 0); err != nil || !bytes.Equal(got[:n], want) {
		t.Errorf("%d bytes, %v, want %d", n, err, len(want))
	}
}

func TestWhatIsAskedForOftenIsLent(t *testing.T) {
	m := shelved(t, 8<<20)
	for i, n := range []int{1, ChunkSize - 1, ChunkSize, ChunkSize + 1, 100_000, 2 << 20} {
		id := uint64(i + 1)
		want := m.body(id, n)
		asked, l := m.lent(id, n, 100)
		if asked != hotAsks {
			t.Errorf("%d bytes: lent at ask %d, want %d", n, asked, hotAsks)
			continue
		}
		holds(t, l, want)
		l.Return()
		again := m.Lend(id, int64(n))
		if again != l {
			t.Errorf("%d bytes: not the same file again", n)
			continue
		}
		again.Return()
	}
}

func TestWhatIsNotLent(t *testing.T) {
	f := func(what string, files int64, n int, spoil func(m *Memory)) {
		t.Helper()
		m := shelved(t, files)
		m.body(1, n)
		spoil(m)
		if asked, _ := m.lent(1, n, 50); asked > 0 {
			t.Errorf("%s: lent at ask %d", what, asked)
		}
		if m.shelf.taken != 0 || len(m.shelf.files) != 0 {
			t.Errorf("%s: %d bytes taken by %d files", what, m.shelf.taken, len(m.shelf.files))
		}
	}
	nothing := func(*Memory) {}
	f("where there is no room for files", 0, 100_000, nothing)
	f("more than a quarter of the room", 1<<20, 256<<10+1, nothing)
	f("a piece is gone", 8<<20, 100_000, func(m *Memory) { m.DropChunks(1, 3) })
	f("all is gone", 8<<20, 100_000, func(m *Memory) { m.Reset() })
}

// The room is never exceeded; what is asked for more takes the place of what is
// asked for less, and what is asked for alike does not.
func TestTheHottestHaveTheFiles(t *testing.T) {
	const n, most = 100_000, 5
	m := shelved(t, most*n)
	for id := range uint64(20) {
		m.body(id, n)
		if asked, l := m.lent(id, n, hotAsks); l != nil {
			l.Return()
		} else if id < most {
			t.Errorf("body %d: lent at ask %d", id, asked)
		}
		if m.shelf.taken > most*n {
			t.Fatalf("%d bytes taken", m.shelf.taken)
		}
	}
	for id := range uint64(most) {
		if m.shelf.files[id] == nil {
			t.Errorf("body %d had to go for one that is asked for no more often", id)
		}
	}
	asked, l := m.lent(19, n, 100)
	if l == nil || len(m.shelf.files) != most || m.shelf.taken != most*n {
		t.Fatalf("the hottest: ask %d, %d files, %d bytes", asked, len(m.shelf.files), m.shelf.taken)
	}
	l.Return()
}

// What is lent stays whole until it is returned, and is then closed if it is
// nobody's any more.
func TestWhatIsLentOutlivesReset(t *testing.T) {
	m := shelved(t, 8<<20)
	want := m.body(1, 200_000)
	_, l := m.lent(1, len(want), 100)
	_, again := m.lent(1, len(want), 1)
	m.Reset()
	l.Return()
	holds(t, again, want)
	if m.shelf.taken != 200_000 {
		t.Errorf("%d bytes taken while they are lent", m.shelf.taken)
	}
	again.Return()
	if m.shelf.taken != 0 {
		t.Errorf("%d bytes taken behind the last Return", m.shelf.taken)
	}
	if _, err := again.f.Stat(); err == nil || !strings.Contains(err.Error(), os.ErrClosed.Error()) {
		t.Errorf("the file is still open: %v", err)
	}
}

// What is hit stays, also what is hit by its file alone: other bodies go round
// the rings three times.
func TestPiecesOfWhatIsLentStay(t *testing.T) {
	const n = 300_000
	m := shelved(t, 8<<20)
	m.body(1, n)
	other, laps := make([]byte, ChunkSize), 3*int(m.plan.data)/ChunkSize
	for i := range laps {
		m.PutChunk(2, uint32(i), other)
		if i%(laps/200) != 0 {
			continue
		}
		if l := m.Lend(1, n); l != nil {
			l.Return()
		}
	}
	if !m.HasChunks(1, (n+ChunkSize-1)/ChunkSize) {
		t.Error("pieces are gone")
	}
}

func TestLendFromManyGoroutines(t *testing.T) {
	const bodies, n = 12, 50_000
	m := shelved(t, 6*n)
	var want [bodies][]byte
	for id := range want {
		want[id] = m.body(uint64(id), n)
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 2))
			for i := range 2000 {
				id := min(r.IntN(bodies), r.IntN(bodies))
				if l := m.Lend(uint64(id), n); l != nil {
					holds(t, l, want[id])
					l.Return()
				}
				if g == 0 && i%500 == 499 {
					m.shelf.reset()
				}
			}
		})
	}
	all.Wait()
	m.shelf.reset()
	if m.shelf.taken != 0 {
		t.Errorf("%d bytes taken in the end", m.shelf.taken)
	}
}
