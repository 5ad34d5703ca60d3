package rule

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

const now = 1_790_000_000_400

func judge(t *testing.T, r *Rules, request_ string, status int, head string) Terms {
	t.Helper()
	var terms Terms
	r.Judge(&terms, request(t, strings.Split(request_, " | ")...),
		answer(t, status, strings.Split(dated(head, now), " | ")...), now-20, now)
	return terms
}

func TestWhyNot(t *testing.T) {
	f := func(r Rules, request string, status int, head string, want Reason) {
		t.Helper()
		if got := judge(t, &r, request, status, head).Why; got != want {
			t.Errorf("%+v %q %d %q: %v, want %v", r, request, status, head, got, want)
		}
	}
	var zero Rules
	const fresh = "Cache-Control: max-age=60"
	f(zero, "", 200, fresh, Storable)
	f(zero, "", 206, fresh, Range)
	f(zero, "Range: bytes=9-", 416, fresh, Range)
	f(zero, "", 304, fresh, Status)
	f(zero, "", 101, fresh, Status)
	f(zero, "", 299, "Cache-Control: max-age=60, must-understand", Status)
	f(zero, "", 302, "Cache-Control: no-cache | ETag: \"a\"", NoFreshness) // RFC 9111 §3: no status to guess by
	f(zero, "Cache-Control: no-store", 200, fresh, Refused)
	f(Rules{Ignore: true}, "Cache-Control: no-store", 200, fresh, Storable)

	f(zero, "", 200, "Cache-Control: max-age=60, no-store", NoStore)
	f(zero, "", 200, "Cache-Control: max-age=60 | Cache-Control: NO-STORE=1", NoStore)
	f(zero, "", 200, "Cache-Control: x=\"no-store\", max-age=60", Storable)
	f(zero, "", 200, "Cache-Control: x=\"\\\", no-store\", max-age=60", Storable)
	f(zero, "", 200, "Cache-Control: x=\"a, max-age=60", Malformed)
	f(zero, "", 200, "Cache-Control: public; max-age=60", Malformed)
	f(zero, "", 200, "Cache-Control: max-age=60 no-store", Malformed)
	f(zero, "", 200, "Cache-Control: max-age=60, =3", Malformed)
	f(zero, "", 200, "Cache-Control: ,, max-age=60 ,x=http://a/?b;c, ", Storable)

	f(zero, "", 200, "Cache-Control: private, max-age=60", Private)
	f(zero, "", 200, "Cache-Control: private=\"a\", max-age=60", Storable)
	f(zero, "", 200, "Cache-Control: private=a, max-age=60", Storable)
	f(zero, "", 200, "Cache-Control: private=\"a\", private, max-age=60", Private)
	f(zero, "", 200, "Cache-Control: private=\"\", max-age=60", Private)
	f(zero, "", 200, "Cache-Control: private=\"a b\", max-age=60", Private)

	f(zero, "Authorization: x", 200, fresh, Authorization)
	f(zero, "Authorization: x", 200, "Cache-Control: max-age=60, proxy-revalidate", Authorization)
	f(zero, "Authorization: x", 200, "Cache-Control: max-age=60, public", Storable)

	f(zero, "", 200, fresh+" | Vary: a | Vary: b, *", VaryAny)
	f(zero, "", 200, fresh+" | Vary: a b", VaryAny)
	f(zero, "", 200, fresh+" | Vary: a, X-Forwarded-For", VaryAny)
	f(zero, "", 200, fresh+" | Vary: X-Forwarded-Proto, X-Forwarded-Host", Storable)
	f(zero, "", 200, fresh+" | Vary: a"+strings.Repeat(",a", maxNames), VaryAny)

	f(zero, "", 200, fresh+" | Set-Cookie: a=b", Storable)
	f(zero, "", 200, "Last-Modified: {-9999} | Set-Cookie: a=b", Cookie)
	f(zero, "", 200, "Cache-Control: max-age=0 | ETag: \"a\" | Set-Cookie: a=b", Cookie)
	f(zero, "", 200, "Cache-Control: max-age=60, no-cache | ETag: \"a\" | Set-Cookie: a=b", Cookie)
	f(zero, "", 200, "Cache-Control: no-cache=\"set-cookie\" | Last-Modified: {-9999} | Set-Cookie: a=b", Storable)
	f(Rules{Default: time.Hour}, "", 200, "Set-Cookie: a=b", Cookie)
	f(Rules{RefuseCookies: true}, "", 200, fresh+" | Set-Cookie: a=b", Cookie)

	f(zero, "", 200, "", NoFreshness)
	f(zero, "", 200, "ETag: \"a\"", NoFreshness)
	f(zero, "", 200, "Cache-Control: max-age=0", NoFreshness)
	f(zero, "", 200, "Cache-Control: max-age=0 | ETag: \"a\"", Storable)
	f(zero, "", 200, "Cache-Control: max-age=0, stale-if-error=9", Storable)
	f(zero, "", 200, "Cache-Control: max-age=0, stale-if-error=x", NoFreshness)
	f(zero, "", 200, "Cache-Control: max-age=9 | Age: 10", Storable)
	f(zero, "", 200, "Cache-Control: max-age=9, must-revalidate | Age: 10", NoFreshness)
	f(zero, "", 200, "Cache-Control: no-cache, max-age=9", NoValidator)
	f(zero, "", 200, "Cache-Control: no-cache, private=etag | ETag: \"a\"", NoValidator)
	f(zero, "", 200, "Cache-Control: no-cache | Last-Modified: {-1}", Storable)

	var terms Terms
	for _, m := range []string{"HEAD", "POST", "OPTIONS"} {
		if zero.Judge(&terms, method(t, m), answer(t, 200, fresh), now, now); terms.Why != Method {
			t.Errorf("%s: %v", m, terms.Why)
		}
	}
	if zero.JudgeAs(&terms, method(t, "HEAD"), answer(t, 206, fresh), 200, now, now); terms.Why != Storable {
		t.Errorf("206 as 200: %v", terms.Why)
	}
	for r := range Reasons {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
}

func TestTerms(t *testing.T) {
	s := func(n int64) int64 { return n * 1000 }
	f := func(r Rules, status int, head string, want Terms) {
		t.Helper()
		got := judge(t, &r, "", status, head)
		want.Born += now - 20
		want.Until += want.Born
		drop := bytes.Join(got.Drop, []byte("|"))
		if !bytes.Equal(drop, bytes.Join(want.Drop, []byte("|"))) {
			t.Errorf("%q drops %q", head, drop)
		}
		if got.Drop, want.Drop = nil, nil; !equal(got, want) {
			t.Errorf("%d %q:\n got %+v\nwant %+v", status, head, got, want)
		}
	}
	said := func(until int64) Terms { return Terms{Until: s(until), Explicit: true, IfError: -1} }
	with := func(t Terms, f func(*Terms)) Terms { f(&t); return t }
	strict := func(t *Terms) { t.Strict, t.IfError = true, 0 }
	var zero Rules

	f(zero, 200, "Cache-Control: max-age=60", said(60))
	f(zero, 200, "Cache-Control: max-age=\"60\"", said(60))
	f(zero, 200, "Cache-Control: max-age=99999999999999999999999", said(never))
	f(zero, 200, "Cache-Control: max-age=60 | Age: 10", with(said(60), func(t *Terms) { t.Born = -s(10) }))
	f(zero, 200, "Cache-Control: max-age=60 | Date: {-9}", with(said(60), func(t *Terms) { t.Born = -s(9) + 619 })) // .400 - .999, and the 20 ms
	f(zero, 200, "Cache-Control: max-age=60 | Date: {9}", said(60))
	f(zero, 200, "Cache-Control: max-age=60, must-revalidate", with(said(60), strict))
	f(zero, 200, "Cache-Control: max-age=60, proxy-revalidate, stale-if-error=9", with(said(60), strict))
	f(zero, 200, "Cache-Control: s-maxage=60, max-age=9, stale-while-revalidate=9", with(said(60), strict))
	f(Rules{SharedStale: true}, 200, "Cache-Control: s-maxage=60, stale-while-revalidate=9", with(said(60), func(t *Terms) { t.While = s(9) }))
	f(Rules{SharedStale: true}, 200, "Cache-Control: s-maxage=60", with(said(60), strict))
	f(zero, 200, "Cache-Control: max-age=60, stale-while-revalidate=5, stale-if-error=7",
		with(said(60), func(t *Terms) { t.While, t.IfError = s(5), s(7) }))
	f(zero, 200, "Cache-Control: max-age=60, no-cache, stale-if-error=7 | ETag: \"a\"",
		with(said(60), func(t *Terms) { t.Always, t.IfError = true, 0 }))
	f(zero, 200, "Cache-Control: max-age=60, no-cache=\"a, b\", private=c",
		with(said(60), func(t *Terms) { t.Drop = [][]byte{[]byte("a, b"), []byte("c")} }))
	f(zero, 302, "Expires: {60} | Date: {0}", said(60))
	f(zero, 200, "Expires: {60}", with(said(60), func(t *Terms) { t.Until -= 400 }))

	guess := func(until int64) Terms { return Terms{Until: s(until), IfError: -1} }
	f(zero, 200, "Last-Modified: {-600} | Date: {0}", guess(60))
	f(zero, 200, "Last-Modified: {-86400000} | Date: {0}", guess(86400))
	f(Rules{Heuristic: time.Minute}, 200, "Last-Modified: {-86400000} | Date: {0}", guess(60))
	f(Rules{Default: time.Minute}, 200, "", guess(60))
	f(Rules{Default: time.Minute}, 599, "Cache-Control: public", guess(60))
	f(Rules{Default: time.Minute}, 200, "Last-Modified: {-20} | Date: {0}", guess(2))
	f(Rules{Default: time.Minute, Heuristic: -1}, 200, "Last-Modified: {-20} | Date: {0}", guess(60))
	f(Rules{Default: time.Minute}, 200, "Cache-Control: max-age=9", said(9))
}

func equal(a, b Terms) bool {
	return a.Why == b.Why && a.Always == b.Always && a.Strict == b.Strict && a.Explicit == b.Explicit &&
		a.Born == b.Born && a.Until == b.Until && a.While == b.While && a.IfError == b.IfError
}

func TestDroppedFields(t *testing.T) {
	terms := judge(t, new(Rules), "", 200, `Cache-Control: max-age=9, no-cache="Set-Cookie ,b", private=C`)
	for name, want := range map[string]bool{"set-cookie": true, "B": true, "c": true, "set": false, "": false, "a": false} {
		if terms.Drops([]byte(name)) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestAge(t *testing.T) {
	f := func(now, born, want int64) {
		t.Helper()
		if got := Age(now, born); got != want {
			t.Errorf("%d %d: %d, want %d", now, born, got, want)
		}
	}
	f(5999, 1000, 4)
	f(1000, 5999, 0)
	f(1<<60, 0, never)
}

func FuzzJudge(f *testing.F) {
	for _, c := range suite {
		f.Add(c.answer)
	}
	r := Rules{Targets: []string{"cdn-cache-control"}}
	f.Fuzz(func(t *testing.T, head string) {
		head = strings.NewReplacer("\r", "", "\n", "", "{", "", "}", "").Replace(head)
		res, ok := tryAnswer(head)
		if !ok {
			return
		}
		var terms Terms
		r.Judge(&terms, request(t), res, now-20, now)
		switch {
		case terms.Why != Storable:
		case terms.Born > now, terms.Until < terms.Born, terms.Until-terms.Born > never*1000, terms.Strict && terms.While > 0:
			t.Fatalf("%q: %+v", head, terms)
		}
		names, ok := AppendVary(nil, res)
		if !ok && terms.Why == Storable {
			t.Fatalf("%q is stored, but nobody knows by what it varies", head)
		}
		if again, ok := AppendNames(nil, names); !ok || !bytes.Equal(again, names) {
			t.Fatalf("%q: %q, then %q", head, names, again)
		}
	})
}
