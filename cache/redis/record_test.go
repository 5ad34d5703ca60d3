package redis

import (
	"bytes"
	"crypto/rand"
	"testing"
)

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	noise := make([]byte, 4000)
	rand.Read(noise)
	text := bytes.Repeat([]byte("again and again "), 500)
	f := func(name string, rec []byte, squeeze, small bool) {
		t.Helper()
		value := pack("key", rec, 7, squeeze)
		if (len(value) < len(rec)) != small {
			t.Errorf("%s: %d bytes became %d", name, len(rec), len(value))
		}
		got, err := unpack([]byte("before"), value, "key", 7)
		if err != nil || string(got) != "before"+string(rec) {
			t.Errorf("%s: %v, %d bytes, want %d", name, err, len(got)-6, len(rec))
		}
	}
	f("empty", nil, true, false)
	f("short", text[:100], true, false)
	f("long", text, true, true)
	f("long, hinted not to", text, false, false)
	f("noise", noise, true, false)
	f("noise with a little text", append(noise[:len(noise):len(noise)], text[:300]...), true, false)
}

func TestWhatIsNotOursIsAMiss(t *testing.T) {
	text := bytes.Repeat([]byte("again and again "), 500)
	plain, small := pack("key", text[:100], 7, true), pack("key", text, 7, true)
	f := func(name string, value []byte, key string, version uint32, want error) {
		t.Helper()
		if got, err := unpack([]byte("before"), value, key, version); err != want || string(got) != "before" {
			t.Errorf("%s: %v, want %v; %d bytes", name, err, want, len(got))
		}
	}
	changed := func(value []byte, at int) []byte {
		value = bytes.Clone(value)
		value[at] ^= 0x10
		return value
	}
	f("nothing", nil, "key", 7, errCorrupt)
	f("text", []byte("written by somebody else altogether"), "key", 7, errCorrupt)
	f("another version", plain, "key", 8, errForeign)
	f("another layout", changed(plain, 2), "key", 7, errForeign)
	f("flags unknown", changed(plain, 3), "key", 7, errCorrupt)
	f("another key", plain, "other", 7, errCorrupt)
	for at := 8; at < len(plain); at += 7 {
		f("one bit", changed(plain, at), "key", 7, errCorrupt)
	}
	for at := 8; at < len(small); at += 7 {
		f("one bit of a squeezed one", changed(small, at), "key", 7, errCorrupt)
	}
	f("cut", small[:len(small)-1], "key", 7, errCorrupt)
	bomb := bytes.Clone(small)
	bomb[11] = 0xff // 4 GiB, it says
	f("a bomb", bomb, "key", 7, errCorrupt)
}

func FuzzUnpack(f *testing.F) {
	f.Add(pack("key", []byte("short"), 1, true))
	f.Add(pack("key", bytes.Repeat([]byte("long "), 1000), 1, true))
	f.Fuzz(func(t *testing.T, value []byte) {
		rec, err := unpack(nil, value, "key", 1)
		if err != nil {
			return
		}
		again, err := unpack(nil, pack("key", rec, 1, true), "key", 1)
		if err != nil || !bytes.Equal(again, rec) {
			t.Errorf("%v: %d bytes, then %d", err, len(rec), len(again))
		}
	})
}
