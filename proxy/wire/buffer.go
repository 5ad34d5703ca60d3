package wire

import "sync"

// Buffers are pooled in three sizes. Most hold a request's head, of a few
// hundred bytes, while an upstream is waited for; so that the fronts of
// hundreds of them do not fall into the same lines of the processor's cache,
// HeadBuffer is a size class of the runtime that is no multiple of a page.
const (
	HeadBuffer  = 4864      // a usual request, or an answer's head
	SmallBuffer = 16 << 10  // an answer with its small body
	LargeBuffer = 128 << 10 // bodies that flow
)

var (
	heads  = sync.Pool{New: func() any { return new([HeadBuffer]byte) }}
	smalls = sync.Pool{New: func() any { return new([SmallBuffer]byte) }}
	larges = sync.Pool{New: func() any { return new([LargeBuffer]byte) }}
)

// AcquireBuffer returns a buffer of at least n bytes: pooled up to
// LargeBuffer, made for the occasion above it.
func AcquireBuffer(n int) []byte {
	switch {
	case n <= HeadBuffer:
		return heads.Get().(*[HeadBuffer]byte)[:]
	case n <= SmallBuffer:
		return smalls.Get().(*[SmallBuffer]byte)[:]
	case n <= LargeBuffer:
		return larges.Get().(*[LargeBuffer]byte)[:]
	}
	return make([]byte, n)
}

// ReleaseBuffer takes back what AcquireBuffer gave; nothing may keep a slice
// of it. What append has moved elsewhere is left to the collector.
func ReleaseBuffer(b []byte) {
	switch cap(b) {
	case HeadBuffer:
		heads.Put((*[HeadBuffer]byte)(b[:HeadBuffer]))
	case SmallBuffer:
		smalls.Put((*[SmallBuffer]byte)(b[:SmallBuffer]))
	case LargeBuffer:
		larges.Put((*[LargeBuffer]byte)(b[:LargeBuffer]))
	}
}
