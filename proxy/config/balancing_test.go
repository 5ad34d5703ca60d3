package config

import (
	"strings"
	"testing"
)

func TestPartsToHash(t *testing.T) {
	f := func(s string, want HashOn) {
		t.Helper()
		got, err := parseHashOn(s)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", s, got, err, want)
		}
		if again, err := parseHashOn(got.String()); err != nil || again != got {
			t.Errorf("%q: read back %+v, %v, want %+v", s, again, err, got)
		}
	}
	f("client", HashOn{Part: "client"})
	f("uri", HashOn{Part: "uri"})
	f("path", HashOn{Part: "path"})
	f("host", HashOn{Part: "host"})
	f("header:X-User", HashOn{"header", "x-user"})
	f("query:id", HashOn{"query", "id"})
	f("query:a:b", HashOn{"query", "a:b"})
	f("cookie:SID", HashOn{"cookie", "SID"})

	wrong := func(s, why string) {
		t.Helper()
		if got, err := parseHashOn(s); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %+v, %v, want %q", s, got, err, why)
		}
	}
	wrong("ip", "unknown, want client, uri, path, host, header:NAME, query:NAME, cookie:NAME or session")
	wrong("Client", "unknown")
	wrong("X-User", "unknown")
	wrong("header", "missing name, want header:NAME")
	wrong("cookie:", "missing name, want cookie:NAME")
	wrong("uri:x", "uri takes no name, want uri alone")
	wrong("header:X User", "no header field")
	wrong("header:X:User", "no header field")
	wrong("cookie:a=b", "no cookie")
	wrong("query:a=b", "no query parameter")
}
