package rule

import "testing"

func TestTargetedFields(t *testing.T) {
	r := Rules{Targets: []string{"ours-cache-control", "cdn-cache-control"}}
	f := func(head string, want Reason, until int64) {
		t.Helper()
		got := judge(t, &r, "", 200, head)
		if got.Why != want || want == Storable && got.Until-got.Born != until*1000 {
			t.Errorf("%q: %v, %d s, want %v, %d s", head, got.Why, (got.Until-got.Born)/1000, want, until)
		}
	}
	f("CDN-Cache-Control: max-age=9 | Cache-Control: no-store", Storable, 9)
	f("CDN-Cache-Control: max-age=9 | Ours-Cache-Control: max-age=7", Storable, 7)
	f("CDN-Cache-Control: max-age=9 | Ours-Cache-Control: max-age=x", Storable, 9)
	f("CDN-Cache-Control: max-age=9 | CDN-Cache-Control: no-store", NoStore, 0)
	f("CDN-Cache-Control: a | Cache-Control: max-age=9 | Expires: {99}", NoFreshness, 0)
	f("CDN-Cache-Control: | Cache-Control: max-age=9", Storable, 9)
	f("CDN-Cache-Control: max-age=9, max-age=5", Storable, 5)
	f("CDN-Cache-Control: max-age=9, no-store=?0", Storable, 9)
	f("CDN-Cache-Control: max-age=9, no-store=?1", NoStore, 0)
	f("CDN-Cache-Control: max-age=9, no-store, no-store=?0", Storable, 9)
	f("CDN-Cache-Control: max-age=9;a;b=1.5, private=\"a\"", Storable, 9)
	f("CDN-Cache-Control: max-age=9, private=\"a b\"", Private, 0)
	f("CDN-Cache-Control: max-age=-9 | ETag: \"a\"", Storable, 0)
	f("Surrogate-Control: max-age=9 | Cache-Control: max-age=5", Storable, 5)
	r.Targets = nil
	f("CDN-Cache-Control: max-age=9 | Cache-Control: max-age=5", Storable, 5)
}

func TestStructuredFields(t *testing.T) {
	f := func(line string, want bool) {
		t.Helper()
		var d directives
		if got := d.target([]byte(line), new(Terms)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	f("a", true)
	f("a, b", true)
	f("a \t,\t b", true)
	f("a;b", true)
	f("a; b;  c=3", true)
	f("*a_b-c.d*=1", true)
	f("a=999999999999999", true)
	f("a=-1", true)
	f("a=1.5", true)
	f("a=123456789012.123", true)
	f("a=\"\"", true)
	f("a=\"\\\"\\\\\"", true)
	f("a=*t:/%x", true)
	f("a=?1", true)
	f("a=:aGk=:", true)
	f("a=::", true)
	f("a=@1659578233", true)
	f("a=%\"f%c3%bcr\"", true)
	f("a=()", true)
	f("a=( 1  \"b\";c d );e, f", true)

	f("", false)
	f(",", false)
	f("a,", false)
	f("a,,b", false)
	f("a b", false)
	f("A", false)
	f("1", false)
	f("a =1", false)
	f("a= 1", false)
	f("a=", false)
	f("a ;b", false)
	f("a;", false)
	f("a;B", false)
	f("a=1000000000000000", false)
	f("a=1234567890123.1", false)
	f("a=1.", false)
	f("a=1.1234", false)
	f("a=-", false)
	f("a=+1", false)
	f("a=\"", false)
	f("a=\"\\", false)
	f("a=\"\\n\"", false)
	f("a=\"\xc3\xbc\"", false)
	f("a=?", false)
	f("a=?2", false)
	f("a=:a", false)
	f("a=:!:", false)
	f("a=@1.5", false)
	f("a=@", false)
	f("a=%\"%C3\"", false)
	f("a=%\"%c3\"", false)
	f("a=%\"%c3a\"", false)
	f("a=%\"%c", false)
	f("a=%", false)
	f("a=(1\"b\")", false)
	f("a=(1", false)
	f("a=(1,2)", false)
	f("max-age=\"1\"", false)
	f("max-age", false)
	f("max-age=1.0", false)
	f("public=1", false)
	f("public=a", false)
	f("no-cache=1", false)
	f("no-cache=a", true)
}

func FuzzTarget(f *testing.F) {
	f.Add(`a=( 1  "b";c d );e, f=%"f%c3%bcr", g=:aGk=:, max-age=3`)
	f.Fuzz(func(t *testing.T, line string) {
		var d directives
		d.target([]byte(line), new(Terms))
		var terms Terms
		d.read([]byte(line), &terms)
	})
}
