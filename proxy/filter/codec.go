package filter

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"multiserver/proxy"
)

// codec is a content coding, and its encoders at rest.
type codec struct {
	name  string
	index int // in codecs
	make  func() writer
	takes int64     // MiB, an encoder at work, as measured
	idle  sync.Pool // *encoder
}

// writer is what the libraries' encoders have in common.
type writer interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// Levels are where another step would take twice the time for a few percent.
var codecs = [...]codec{
	{name: "gzip", index: 0, takes: 1, make: func() writer {
		w, _ := gzip.NewWriterLevel(nil, 5)
		return w
	}},
	{name: "br", index: 1, takes: 7, make: func() writer {
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: 4, LGWin: windowBits})
	}},
	{name: "zstd", index: 2, takes: 2, make: func() writer {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<windowBits), zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderLevel(zstd.SpeedDefault))
		if err != nil {
			panic("BUG: " + err.Error())
		}
		return w
	}},
}

// windowBits bound what an encoder remembers, and each client has to: 256 KiB.
const windowBits = 18

func findCodec(name string) *codec {
	for i := range codecs {
		if codecs[i].name == name {
			return &codecs[i]
		}
	}
	return nil
}

// mostWorking is what encoders at work take at once, in MiB, of the whole
// process: a slow client holds one for as long as it likes.
const mostWorking = 512

var working atomic.Int64

// encoder is a proxy.Encoder. What its writer writes is appended to out.
type encoder struct {
	of  *codec
	w   writer
	out []byte
}

// acquire is nil where too many are at work.
func (c *codec) acquire() proxy.Encoder {
	if working.Add(c.takes) > mostWorking {
		working.Add(-c.takes)
		return nil
	}
	e, ok := c.idle.Get().(*encoder)
	if !ok {
		e = &encoder{of: c, w: c.make()}
	}
	e.w.Reset(e)
	return e
}

func (e *encoder) Write(p []byte) (int, error) {
	e.out = append(e.out, p...)
	return len(p), nil
}

func (e *encoder) Append(dst, piece []byte) []byte {
	e.out = dst
	_, err := e.w.Write(piece)
	return e.done(err)
}

func (e *encoder) Flush(dst []byte) []byte {
	e.out = dst
	return e.done(e.w.Flush())
}

func (e *encoder) End(dst []byte) []byte {
	e.out = dst
	return e.done(e.w.Close())
}

// done takes out back. Writing to memory does not fail: an error is the
// library's, and what it has made so far cannot be used.
func (e *encoder) done(err error) []byte {
	if err != nil {
		panic("BUG: " + e.of.name + ": " + err.Error())
	}
	out := e.out
	e.out = nil
	return out
}

func (e *encoder) Release() {
	working.Add(-e.of.takes)
	e.of.idle.Put(e)
}

// parseSize reads 1024, 64KiB, 10MiB or 1GiB.
func parseSize(s string) (int64, error) {
	digits, shift := s, 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if d, ok := strings.CutSuffix(s, unit); ok {
			digits, shift = d, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 32)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q: want a size, such as 64KiB or 10MiB", s)
	}
	return n << shift, nil
}
