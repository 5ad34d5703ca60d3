package session

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func changes(list []Change) string {
	var words []string
	for _, c := range list {
		word := string(c.Key) + "=" + string(c.Value)
		if c.Value == nil {
			word = "-" + string(c.Key)
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

func TestPatches(t *testing.T) {
	f := func(src, want string) {
		t.Helper()
		list, _, ok := Changes(nil, nil, []byte(src))
		got := changes(list)
		if !ok {
			got = "refused"
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", src, got, want)
		}
	}
	f(`{}`, ``)
	f(` { } `, ``)
	f(`{"a":1}`, `a=1`)
	f(`{"a":1,"b":null,"c":"x"}`, `a=1 -b c="x"`)
	f("{ \"a\" :\t[1, {\"b\": [] }] }", `a=[1, {"b": [] }]`)
	f(`{"a":1,"b":2,"a":3}`, `a=3 b=2`)
	f(`{"a":1,"\u0061":null}`, `-a`)
	f(`{"\u00fc\n\"\ud83d\ude00":true}`, "ü\n\"😀=true")
	f(`{"ü":"€"}`, `ü="€"`)
	f(`{"":-0.5e+10}`, `=-0.5e+10`)
	f(`{"a":9007199254740993}`, `a=9007199254740993`)
	f(`{"a":{"b":null}}`, `a={"b":null}`)

	for _, bad := range []string{
		``, `null`, `[]`, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1}x`, `{"a":1}{}`, `{a:1}`, `{'a':1}`,
		`{"a":01}`, `{"a":+1}`, `{"a":1.}`, `{"a":.1}`, `{"a":1e}`, `{"a":NaN}`, `{"a":tru}`, `{"a":-}`, `{"a":nul}`,
		`{"a":"}`, `{"a":"\x"}`, `{"a":"\u12"}`, `{"a":"\u12g4"}`, "{\"a\":\"\t\"}", "{\"a\":\"\x00\"}", "{\"a\":\"\xff\"}", "{\"\xc3\":1}",
		"{\"a\":\"\xed\xa0\x80\"}", `{"\ud800":1}`, `{"\ude00\ud83d":1}`, `{"\ud83dx":1}`, `{"\ud83d\u0041":1}`,
		"{\u00a0\"a\":1}", `{"a":[1,]}`, `{"a":[1}`, `{"a":{"b"}}`, `{"a":1 "b":2}`, "\ufeff{}", "{\"a\":1\v}",
		`{"a":` + strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1) + `}`,
	} {
		f(bad, "refused")
	}
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	f(`{"a":`+deep+`}`, "a="+deep)
}

func TestPatchesInSeveralFields(t *testing.T) {
	list, keys, _ := Changes(nil, nil, []byte(`{"a":1,"\u0062":2}`))
	list, _, ok := Changes(list, keys, []byte(`{"b":3,"\u0063":4}`))
	if got := changes(list); !ok || got != "a=1 b=3 c=4" {
		t.Errorf("%s, %v", got, ok)
	}
}

// FuzzPatch: what is taken, encoding/json takes too, and reads the same in it;
// what the backend is then told is printable ASCII and says the same.
func FuzzPatch(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":null,"c":{"d":["x\u00e4",true]},"\u00fc":"€😀"}`))
	f.Add([]byte(`{"a":"\ud800","b":-1.5e3}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		list, _, ok := Changes(nil, nil, src)
		var want map[string]json.RawMessage
		err := json.Unmarshal(src, &want)
		if ok && err != nil {
			t.Fatalf("%q: taken, but %v", src, err)
		}
		if !ok {
			return
		}
		if len(list) != len(want) {
			t.Fatalf("%q: %d keys, want %d", src, len(list), len(want))
		}
		r := new(Record)
		for _, c := range list {
			w, there := want[string(c.Key)]
			if !there || (c.Value == nil) != (string(w) == "null") || c.Value != nil && !bytes.Equal(bytes.TrimSpace(w), c.Value) {
				t.Errorf("%q: %q is %q, want %q", src, c.Key, c.Value, w)
			}
			if c.Value != nil && !bytes.HasPrefix(c.Key, []byte{own}) {
				r.Put(c.Key, c.Value)
			}
		}
		told := r.AppendJSON(nil)
		for _, c := range told {
			if c < ' ' || c >= utf8.RuneSelf-1 {
				t.Fatalf("%q: told %q", src, told)
			}
		}
		again, _, ok := Changes(nil, nil, told)
		if !ok {
			t.Fatalf("%q: told %q, which cannot be read", src, told)
		}
		for _, c := range again {
			var x, y any
			json.Unmarshal(c.Value, &x)
			json.Unmarshal(r.Find(c.Key), &y)
			a, _ := json.Marshal(x)
			b, _ := json.Marshal(y)
			if !bytes.Equal(a, b) {
				t.Errorf("%q: told %s, is %s", c.Key, a, b)
			}
		}
	})
}
