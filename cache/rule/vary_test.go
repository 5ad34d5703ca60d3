package rule

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestVary(t *testing.T) {
	f := func(head, want string) {
		t.Helper()
		names, ok := AppendVary([]byte("z"), answer(t, 200, strings.Split(head, " | ")...))
		if got := string(names[1:]); got != strings.TrimPrefix(want, "!") || ok == strings.HasPrefix(want, "!") {
			t.Errorf("%q: %q %v, want %q", head, got, ok, want)
		}
	}
	f("", "")
	f("Vary:", "")
	f("Vary: ,", "")
	f("Vary: Foo", "foo")
	f("Vary: foo, Bar", "bar,foo")
	f("Vary: foo,foo, FOO ,", "foo")
	f("Vary: b, d | X: y | Vary: a, c, e", "a,b,c,d,e")
	f("Vary: aa, a, ab, a", "a,aa,ab")
	f("Vary: *", "!")
	f("Vary: *, *", "!")
	f("Vary: , *", "!")
	f("Vary: | Vary: *", "!")
	f("Vary: *, foo", "!")
	f("Vary: foo, *", "!")
	f("Vary: foo bar", "!")
	f("Vary: a"+strings.Repeat(",a", maxNames-1), "a")
	f("Vary: a"+strings.Repeat(",a", maxNames), "!")
	f("Vary: x*", "x*")
}

func TestUnionOfVary(t *testing.T) {
	f := func(a, b, want string) {
		t.Helper()
		if got := string(UnionVary([]byte("z,"), []byte(a), []byte(b)))[2:]; got != want {
			t.Errorf("%q, %q: %q, want %q", a, b, got, want)
		}
	}
	f("", "", "")
	f("a", "", "a")
	f("", "a", "a")
	f("a,c", "b", "a,b,c")
	f("a,b", "a,b", "a,b")
	f("b", "a,c,d", "a,b,c,d")
}

func variant(t testing.TB, names, head string) string {
	t.Helper()
	return string(AppendVariant(nil, []byte(names), request(t, strings.Split(head, " | ")...)))
}

func TestSameVariant(t *testing.T) {
	f := func(names string, heads ...string) {
		t.Helper()
		want := variant(t, names, heads[0])
		for _, h := range heads[1:] {
			if got := variant(t, names, h); got != want {
				t.Errorf("%s: %q gives %q; %q gives %q", names, heads[0], want, h, got)
			}
		}
	}
	f("", "", "Foo: 1")
	f("foo", "", "Bar: 1")
	f("foo", "Foo: 1, 2", "Foo: 1 | Foo: 2", "foo: 1,2", "Foo:   1 ,\t2 ", "Foo: 1 | Other: x | FOO: 2")
	f("foo", `Foo: "a, b"`, `Foo: "a | Foo: b"`)
	f("bar,foo", "Foo: 1 | Bar: 2", "Bar: 2 | Foo: 1")
	f("accept-language", "Accept-Language: en, de", "Accept-Language: de, en", "Accept-Language: eN, De",
		"Accept-Language:  en ,   de", "Accept-Language: de | Accept-Language: en;q=1.0")
	f("accept-language", "Accept-Language: en-US,en;q=0.9", "Accept-Language: en;q=0.5, en-us", "Accept-Language: en; q=0.3,en-US ;Q=0.31")
	f("accept-encoding", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Encoding: zstd,br;q=0.5,deflate, gzip",
		"Accept-Encoding: br,zstd | Accept-Encoding: GZIP, deflate", "Accept-Encoding: x-gzip,deflate,br,zstd,identity")
	f("accept-encoding", "Accept-Encoding:", "Accept-Encoding: identity", "Accept-Encoding: gzip;q=0", "Accept-Encoding: br;q=0.0,identity;q=0.1")
	f("accept-encoding", "Accept-Encoding: gzip, *;q=0", "Accept-Encoding: gzip, identity;q=0")
	f("accept-encoding", "Accept-Encoding: *;q=0", "Accept-Encoding: identity;q=0") // nothing at all
	f("accept-encoding", "Accept-Encoding: *", "Accept-Encoding: gzip, *;q=0.1", "Accept-Encoding: *, br")
}

func TestOtherVariant(t *testing.T) {
	f := func(names string, heads ...string) {
		t.Helper()
		var seen []string
		for _, h := range heads {
			got := variant(t, names, h)
			if i := slices.Index(seen, got); i >= 0 {
				t.Errorf("%s: %q and %q are the same: %q", names, heads[i], h, got)
			}
			seen = append(seen, got)
		}
	}
	f("foo", "", "Foo:", "Foo: 1", "Foo: 2", "Foo: 1, 2", "Foo: 2, 1", "Foo: 1 2", "Foo: 12", `Foo: "1,2"`, `Foo: "1, 2"`, `Foo: "1\", 2"`, "Foo: a", "Foo: A")
	f("bar,foo", "", "Foo: 1", "Bar: 1", "Foo: 1 | Bar: 1", "Foo: 11", "Bar:", "Foo:", "Foo: | Bar:", "Foo: 1 | Bar: 2", "Foo: 2 | Bar: 1")
	f("user-agent", "User-Agent: a,b", "User-Agent: a, b")
	f("accept-language", "", "Accept-Language:", "Accept-Language: en", "Accept-Language: en, de", "Accept-Language: en, de;q=0.5",
		"Accept-Language: de, en;q=0.5", "Accept-Language: en, *;q=0", "Accept-Language: en, *;q=0.1", "Accept-Language: en, de;q=0",
		"Accept-Language: de;q=0", "Accept-Language: en;q=x", "Accept-Language: de>en", "Accept-Language: !de", "Accept-Language: en;q=0.5;x")
	f("accept-encoding", "", "Accept-Encoding:", "Accept-Encoding: gzip", "Accept-Encoding: br", "Accept-Encoding: gzip, br", "Accept-Encoding: *",
		"Accept-Encoding: *;q=0", "Accept-Encoding: gzip, *;q=0", "Accept-Encoding: *, gzip;q=0", "Accept-Encoding: compress",
		"Accept-Encoding: gzip, compress", "Accept-Encoding: gzip;q=2", "Accept-Encoding: gzip, gzip", "Accept-Encoding: gzip br",
		"Accept-Encoding: *, identity;q=0", "Accept-Encoding: gzip;x=1", "Accept-Encoding: br,deflate,gzip,identity,zstd*")
	f("accept-language", "Accept-Language: a"+strings.Repeat(",a", maxRanges-1), "Accept-Language: a"+strings.Repeat(",a", maxRanges))
}

// FuzzVariant: two fields can never be mistaken for two others, and what is
// the same for one name stays so beside another.
func FuzzVariant(f *testing.F) {
	f.Add("1, 2", "1,2")
	f.Add("en, de;q=0.5", `"a, b"`)
	f.Add("gzip;q=0, *", "br")
	f.Fuzz(func(t *testing.T, a, b string) {
		clean := strings.NewReplacer("\r", "", "\n", "", "\x00", "")
		a, b = clean.Replace(a), clean.Replace(b)
		for _, name := range []string{"accept-encoding", "accept-language", "foo", "cookie"} {
			qa, ok := tryRequest(name+": "+a, "zoo: "+b)
			qb, ok2 := tryRequest(name+": "+b, "zoo: "+a)
			if !ok || !ok2 {
				return
			}
			one, two := AppendVariant(nil, []byte(name), qa), AppendVariant(nil, []byte("zoo"), qa)
			both := AppendVariant(nil, []byte(name+",zoo"), qa)
			if !bytes.Equal(both, append(one, two...)) {
				t.Fatalf("%q, %q apart; %q together", one, two, both)
			}
			if n := bytes.Count(both, []byte{was}) + bytes.Count(both, []byte{none}); n != 2 {
				t.Fatalf("%q has %d ends", both, n)
			}
			if bytes.Equal(both, AppendVariant(nil, []byte(name+",zoo"), qb)) && variant(t, "foo", "Foo: "+a) != variant(t, "foo", "Foo: "+b) {
				t.Fatalf("%s: %q and %q the other way round are the same", name, a, b)
			}
		}
	})
}
