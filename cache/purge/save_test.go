package purge

import (
	"bytes"
	"strconv"
	"testing"
)

func TestMarksOutliveARestart(t *testing.T) {
	var old, restored Table
	for i := range 500 {
		old.Set(mark(Tag, strconv.Itoa(i)), uint64(100+i))
		old.Set(soft(Prefix, "http://a/"+strconv.Itoa(i)), uint64(200+i))
		old.Set(mark(URL, "http://a/"+strconv.Itoa(i)), uint64(300+i))
	}
	old.Set(mark(All, ""), 150)
	old.Seen(5000)
	b := old.Save([]byte("before"))
	if !restored.Restore(b[len("before"):]) || restored.Last() != 5000 {
		t.Fatalf("not restored: last is %d", restored.Last())
	}
	for i := range 600 {
		key, tags := []byte("http://a/"+strconv.Itoa(i)), AppendTags(nil, strconv.AppendInt(nil, int64(i), 10), ' ')
		for _, seq := range []uint64{0, 149, 150, 300, 599, 1000} {
			if got, want := restored.Check(key, tags, seq), old.Check(key, tags, seq); got != want {
				t.Fatalf("%s of %d: %d, want %d", key, seq, got, want)
			}
		}
	}
}

func TestRestoringAddsToWhatThereIs(t *testing.T) {
	var a, b Table
	a.Set(mark(Tag, "a"), 10)
	b.Set(mark(Tag, "a"), 20)
	b.Set(mark(Tag, "b"), 5)
	if !b.Restore(a.Save(nil)) || b.Last() != 20 {
		t.Fatalf("last is %d", b.Last())
	}
	f := func(tag string, seq uint64, want Verdict) {
		t.Helper()
		if got := b.Check(nil, AppendTags(nil, []byte(tag), ' '), seq); got != want {
			t.Errorf("[%s] of %d: %d, want %d", tag, seq, got, want)
		}
	}
	f("a", 19, Gone)
	f("a", 20, Valid)
	f("b", 4, Gone)
	f("b", 5, Valid)
}

func TestNoMarksCanBeSaved(t *testing.T) {
	var a, b Table
	if !b.Restore(a.Save(nil)) || b.Last() != 0 || b.Check([]byte("k"), nil, 0) != Valid {
		t.Error("an empty table does not come back as one")
	}
}

func TestBrokenSavesAreRefused(t *testing.T) {
	var old Table
	old.Set(mark(Tag, "a"), 10)
	whole := old.Save(nil)
	f := func(what string, b []byte) {
		t.Helper()
		var table Table
		if table.Restore(b) || table.Last() != 0 {
			t.Errorf("%s: restored", what)
		}
	}
	f("nothing", nil)
	f("zeros", make([]byte, headBytes+sumBytes))
	f("cut", whole[:len(whole)-1])
	f("cut by a slot", whole[:len(whole)-slotBytes])
	f("longer", append(bytes.Clone(whole), 0))
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1
		f("byte "+strconv.Itoa(i), b)
	}
}

func FuzzRestore(f *testing.F) {
	var old Table
	old.Set(mark(Tag, "a"), 10)
	old.Set(soft(Prefix, "http://a/"), 20)
	f.Add(old.Save(nil))
	f.Add([]byte{version})
	f.Fuzz(func(t *testing.T, b []byte) {
		var table, again Table
		if table.Restore(b) && !again.Restore(table.Save(nil)) {
			t.Fatal("what was restored cannot be saved")
		}
		// A sum that is right says nothing about the rest.
		if n := len(b) - sumBytes; n >= headBytes {
			table.restore(append(b[:n:n], make([]byte, slotBytes)...))
		}
	})
}
