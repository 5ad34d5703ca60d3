package part

import (
	"bytes"
	"testing"
)

// A list ends, none of its tags is empty or made of anything but the list, and
// whatever is well-formed in front of a comma is found.
func FuzzTags(f *testing.F) {
	for _, s := range []string{`"a"`, `W/"a", "b,c"`, `w\"a"x,,`, `"a`, `*, a`, `W`, `W/`, "\"\xff\""} {
		f.Add([]byte(s), []byte("a"))
	}
	f.Fuzz(func(t *testing.T, list, name []byte) {
		for rest := list; len(rest) > 0; {
			tag, more := nextTag(rest)
			if len(more) >= len(rest) || len(tag) == 0 && len(bytes.Trim(rest, " \t,")) > 0 || !bytes.Contains(list, tag) {
				t.Fatalf("%q: %q of %q", list, tag, rest)
			}
			if len(tag) > 0 && !weak(tag, tag) {
				t.Fatalf("%q is not itself", tag)
			}
			rest = more
		}
		tag := append(append([]byte{'"'}, bytes.ReplaceAll(name, []byte{'"'}, nil)...), '"')
		first, _ := nextTag(append(append(tag[:len(tag):len(tag)], ','), list...))
		if !bytes.Equal(first, tag) || !strong(first, tag) || !weak(append([]byte("W/"), tag...), tag) {
			t.Fatalf("%q is read as %q", tag, first)
		}
	})
}
