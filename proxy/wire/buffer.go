package wire

import "sync"

// Buffers come in two sizes: one for heads and small bodies, which every
// exchange holds, and one for bodies that flow.
const (
	SmallBuffer = 16 << 10
	LargeBuffer = 128 << 10
)

var (
	small = sync.Pool{New: func() any { return new([SmallBuffer]byte) }}
	large = sync.Pool{New: func() any { return new([LargeBuffer]byte) }}
)

// AcquireBuffer returns a buffer of at least n bytes: pooled up to
// LargeBuffer, made for the occasion above it.
func AcquireBuffer(n int) []byte {
	switch {
	case n <= SmallBuffer:
		return small.Get().(*[SmallBuffer]byte)[:]
	case n <= LargeBuffer:
		return large.Get().(*[LargeBuffer]byte)[:]
	}
	return make([]byte, n)
}

// ReleaseBuffer takes back what AcquireBuffer gave; nothing may keep a slice
// of it.
func ReleaseBuffer(b []byte) {
	switch cap(b) {
	case SmallBuffer:
		small.Put((*[SmallBuffer]byte)(b[:SmallBuffer]))
	case LargeBuffer:
		large.Put((*[LargeBuffer]byte)(b[:LargeBuffer]))
	}
}
