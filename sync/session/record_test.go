package session

import (
	"bytes"
	"strings"
	"testing"
)

func TestARecordKeepsItsOrder(t *testing.T) {
	var r Record
	for _, key := range strings.Fields("d b a c b e a") {
		r.Put([]byte(key), []byte(`"`+key+`"`))
	}
	r.Remove([]byte("c"))
	r.Remove([]byte("x"))
	r.Put([]byte("aa"), []byte("1"))
	if got, want := string(r.AppendJSON(nil)), `{"a":"a","aa":1,"b":"b","d":"d","e":"e"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var other Record
	other.Put([]byte("z"), []byte("1"))
	other.Copy(&r)
	r.Put([]byte("a"), []byte("2"))
	if got, want := string(other.AppendJSON(nil)), `{"a":"a","aa":1,"b":"b","d":"d","e":"e"}`; got != want {
		t.Errorf("the copy: %s, want %s", got, want)
	}
}

func TestARecordThatIsRefusedAPatchIsAsItWas(t *testing.T) {
	r := Record{Version: 3, Idle: 100, End: 100}
	r.Put([]byte("a"), []byte("1"))
	for _, p := range []Patch{
		{IfVersion: 2, Changes: []Change{{Key: []byte("a")}}},
		{Changes: []Change{{Key: []byte("a")}, {Key: []byte("b"), Value: make([]byte, MaxBytes)}}},
	} {
		if err := r.Apply(&p, 50); err == nil || r.Version != 3 || string(r.AppendJSON(nil)) != `{"a":1}` {
			t.Errorf("%v: %+v", err, r)
		}
	}
}

func FuzzRecord(f *testing.F) {
	var r Record
	r.Version, r.Created, r.Idle, r.End = 1, 2, 3, 4
	r.Put([]byte("a"), []byte("1"))
	r.Put([]byte("b"), []byte(`{"x":[]}`))
	seed, _ := r.AppendBinary(nil)
	f.Add(seed)
	seed, _ = (&Record{Moved: ID{1}, End: 5}).AppendBinary(nil)
	f.Add(seed)
	f.Fuzz(func(t *testing.T, src []byte) {
		var r, again Record
		if r.UnmarshalBinary(src) != nil {
			return
		}
		written, _ := r.AppendBinary(nil)
		if err := again.UnmarshalBinary(written); err != nil {
			t.Fatal(err)
		}
		if twice, _ := again.AppendBinary(nil); !bytes.Equal(written, twice) {
			t.Errorf("%x, then %x", written, twice)
		}
	})
}
