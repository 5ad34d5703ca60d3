package route

import "testing"

func TestPaths(t *testing.T) {
	f := finder(t, `/
/a
/a/*
/a/b/*
/a/b/c
~^/a/.*\.css$
~\.php$
/d/
/*`)
	f("GET h/", 0)
	f("GET h/?x", 0)
	f("GET h/a", 1)
	f("GET h/a?b=/c", 1)
	f("GET h/a/", 2)
	f("GET h/a/x", 2)
	f("GET h/ab", 8)
	f("GET h/a/b", 3) // what is above all below it, too
	f("GET h/a/b/", 3)
	f("GET h/a/b/x/y/z", 3)
	f("GET h/a/b/c", 4)
	f("GET h/a/b/c/", 3)
	f("GET h/a/b/c.css", 5) // expressions before prefixes, as in nginx
	f("GET h/b/c.css", 8)
	f("GET h/x.php", 6)
	f("GET h/a/b/x.php", 6)
	f("GET h/d/", 7)
	f("GET h/d", 8)
	f("GET h/A", 8)
}

// What a browser, a framework or a file server may take for /admin must not
// pass as something else.
func TestNoSpellingLeadsPastARoute(t *testing.T) {
	f := finder(t, `/admin/*
/pub/*
/*`)
	for _, path := range []string{
		"admin", "admin/", "admin/x", "admin?x", "%61dmin/x", "%61%64%6d%69%6E", "admin/%2e",
		"admin//x", "admin/a%2fb", "admin/a;b/c",
	} {
		f("GET h/"+path, 0)
	}
	for _, path := range []string{
		"pub/../admin", "pub/%2e%2e/admin", "pub/.%2E/admin/x", "./admin", "x/../admin/.",
		"/admin", "//admin/x", "%2fadmin", `\admin`, "%5cadmin", "pub/..%2fadmin", `pub/..\admin`, "pub%2f..%2fadmin",
		"pub/..;/admin", "pub/..;a=b/admin/x", "admin;/x", "admin;a=b", "admin/../pub", "admin/..%2fpub", "admin/..;/pub/x",
		"admin%2fx", "pub/../../admin", "admin/..",
	} {
		f("GET h/"+path, Unclear)
	}
	for _, path := range []string{"pub/a%2fb", "pub//x", "pub/a/../b", "pub/a;b", `pub/a\b`, "pub/a%20b", "pub/%zz", "pub/%", "pub/%252e%252e/admin"} {
		f("GET h/"+path, 1)
	}
	for _, path := range []string{"x/../y", "a%2fb", "Admin", "admin%00", "admin%20", "admin%252f", "a//b", "%2e%2e/x"} {
		f("GET h/"+path, 2)
	}
}

func TestEncodedRules(t *testing.T) {
	f := finder(t, `/caf%c3%a9
/a%20b/*
~^/é.x$
/*`)
	f("GET h/caf%C3%A9", 0)
	f("GET h/c%61f%c3%a9", 0)
	f("GET h/a%20b/c", 1)
	f("GET h/%c3%a9%0ax", 2) // a dot is a line's end, too
	f("GET h/caf%c3", 3)
}

func TestConditions(t *testing.T) {
	f := finder(t, `/a
/a GET
/a POST PUT
/a GET X-V:1
/a X-V:~^[23]$
/a q=1
/a q=1 r=*
/a n=~^[a-z]+$
/a X_Y:1
b.c`)
	f("DELETE h/a", 0)
	f("GET h/a", 1)
	f("PUT h/a", 2)
	f("HEAD h/a", 0)
	f("GET h/a x-v:1", 3)
	f("GET h/a x-v:9 X-V:1", 3)
	f("DELETE h/a x-v:3", 4)
	f("DELETE h/a x-v:33", 0)
	f("DELETE h/a x_y:1", 8)
	f("DELETE h/a?q=1", 5)
	f("DELETE h/a?%71=%31", 5)
	f("DELETE h/a?q=11", 0)
	f("DELETE h/a?q=1&r", 6)
	f("DELETE h/a?p=&r=2&q=0&q=1", 6)
	f("DELETE h/a?n=ab", 7)
	f("DELETE h/a?n=a%62", 7)
	f("DELETE h/a?n=a+b", 0)
	f("GET h/a?q=1", 1) // as many conditions: the first
	f("GET h/b", None)
}

func TestWhatDoesNotFitIsLookedForInTheNextPlace(t *testing.T) {
	f := finder(t, `a.org /x
*.org /y GET
/y
*.org ~^/z
/z/*
/a/b/* POST
/a/*
/*`)
	f("GET a.org/x", 0)
	f("GET a.org/y", 1)
	f("PUT a.org/y", 2)
	f("GET a.org/z/1", 3)
	f("GET a.com/z/1", 4)
	f("POST a.org/a/b/c", 5)
	f("GET a.org/a/b/c", 6)
	f("GET a.org/b", 7)
}

// OPTIONS * is of no path, and an old client has no host.
func TestOddRequests(t *testing.T) {
	tab := table(t, rulesOf("a.org /*\n/\n/*"))
	f := func(head string, want int) {
		t.Helper()
		if got := tab.Find(parse(t, head)); got != want {
			t.Errorf("%q takes %d, want %d", head, got, want)
		}
	}
	f("OPTIONS * HTTP/1.1\r\nHost: b.org\r\n\r\n", 2)
	f("OPTIONS * HTTP/1.1\r\nHost: a.org\r\n\r\n", 0)
	f("GET / HTTP/1.0\r\n\r\n", 1)
	f("GET http://a.org?x HTTP/1.1\r\nHost: b.org\r\n\r\n", 0)
	f("GET http://b.org?x HTTP/1.1\r\nHost: a.org\r\n\r\n", 1)
}
