package proxy

import (
	"fmt"
	"testing"
)

// heardOf is what ears make of a stream that comes in pieces of n bytes.
func heardOf(stream []byte, n int) (words string, e ears) {
	e = ears{open: true, in: frames{masked: true}}
	for len(stream) > 0 {
		n := min(n, len(stream))
		e.hear(stream[:n], func(op byte, payload []byte) { words += fmt.Sprintf("%x %q ", op, payload) })
		stream = stream[n:]
	}
	return words, e
}

func TestEarsHearControlFrames(t *testing.T) {
	f := func(stream, want string, over bool) {
		t.Helper()
		for n := 1; n <= len(stream); n++ {
			if got, e := heardOf([]byte(stream), n); got != want || e.over() != over {
				t.Errorf("%q by %d: %s%v, want %s%v", stream, n, got, e.over(), want, over)
			}
		}
	}
	f("\x81\x83\x01\x02\x03\x04abc", "", false)
	f("\x89\x80\x01\x02\x03\x04", `9 "" `, false)
	f("\x01\x81\x00\x00\x00\x00a\x89\x82\x01\x02\x01\x02\x69\x6b\x80\x80\x00\x00\x00\x00", `9 "hi" `, false)
	f("\x82\xfe\x00\x7e\x00\x00\x00\x00"+string(make([]byte, 126))+"\x8a\x80\x00\x00\x00\x00", `a "" `, false)
	f("\x88\x82\x00\x00\x00\x00\x03\xe8\x89", `8 "\x03\xe8" `, true)
	f("\x89\x00", "", true)
	f("\x0f\x80\x00\x00\x00\x00", "", true)
}

func FuzzEarsHearTheSameInAnyPieces(f *testing.F) {
	f.Add([]byte("\x89\x82\x01\x02\x01\x02\x69\x6b\x81\x83\x01\x02\x03\x04abc\x88\x80\x00\x00\x00\x00"), 3)
	f.Fuzz(func(t *testing.T, stream []byte, n int) {
		whole, _ := heardOf(stream, max(len(stream), 1))
		if got, _ := heardOf(stream, max(n, 1)); got != whole {
			t.Errorf("%q by %d: %s, whole %s", stream, n, got, whole)
		}
	})
}
