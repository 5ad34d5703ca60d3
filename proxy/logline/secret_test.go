package logline

import (
	"bytes"
	"testing"
)

func TestSecretsInURLsAreVeiled(t *testing.T) {
	f := func(url, want string) {
		t.Helper()
		if got := string(AppendURL(nil, []byte(url))); got != want {
			t.Errorf("%s\n  is %s\nwant %s", url, got, want)
		}
	}
	f("/", "/")
	f("*", "*")
	f("", "")
	f("/a?b=c&d=e", "/a?b=c&d=e")
	f("/a?token=x", "/a?token=***")
	f("/a?token=x&b=c", "/a?token=***&b=c")
	f("/a?b=c;token=x;d", "/a?b=c;token=***;d")
	f("/a?access_token=x", "/a?access_token=***")
	f("/a?ACCESS-TOKEN=x", "/a?ACCESS-TOKEN=***")
	f("/a?accessToken=x", "/a?accessToken=***")
	f("/a?token2=x", "/a?token2=***")
	f("/a?token", "/a?token")
	f("/a?token=", "/a?token=")
	f("/a?token==", "/a?token=***")
	f("/a?token=a=b", "/a?token=***")
	f("/a?user[password]=x", "/a?user[password]=***")
	f("/a?user%5Bpassword%5D=x", "/a?user%5Bpassword%5D=***")
	f("/a?pass%77ord=x", "/a?pass%77ord=***")
	f("/a?pass%7=x", "/a?pass%7=***")
	f("/a?X-Amz-Signature=x&X-Amz-Credential=y&X-Amz-Date=z", "/a?X-Amz-Signature=***&X-Amz-Credential=***&X-Amz-Date=z")
	f("/a?x=?token=x", "/a?x=?token=***")
	f("/cb#access_token=x&state=y", "/cb#access_token=***&state=y")
	f("/cb?a=b#id_token=x", "/cb?a=b#id_token=***")
	f("/token=x", "/token=x") // a path is not looked into: no name tells its parts
	f("http://a/?key=x", "http://a/?key=***")
	f("http://u:p@a/b", "http://***@a/b")
	f("http://u:p@a?key=x", "http://***@a?key=***")
	f("http://u:p@x@a/b@c", "http://***@a/b@c")
	f("/?next=http://u:p@a/", "/?next=http://u:p@a/")
	f("http://a/?keys=x&monkey=y", "http://a/?keys=x&monkey=***") // rather too many
}

func TestHeadersAreLoggedDiscreetly(t *testing.T) {
	f := func(name, v, want string) {
		t.Helper()
		if got := string(AppendHeader(nil, name, []byte(v))); got != want {
			t.Errorf("%s: %s is %s, want %s", name, v, got, want)
		}
	}
	f("user-agent", "curl/8.5", "curl/8.5")
	f("accept", "text/html", "text/html")
	f("authorization", "Basic dTpw", "Basic ***")
	f("authorization", "dTpw", "***")
	f("proxy-authorization", "Bearer x y", "Bearer ***")
	f("cookie", "a=b", "a=***")
	f("cookie", "a=b; sid=c;d", "a=***; sid=***; ***")
	f("x-api-key", "x", "***")
	f("x-csrf-token", "x", "***")
	f("x-session-id", "x", "***")
	f("referer", "https://a/?code=x", "https://a/?code=***")
	f("x-original-url", "/?token=x", "/?token=***")
}

func FuzzVeil(f *testing.F) {
	f.Add([]byte("/a?b=c&token=secret"))
	f.Add([]byte("http://u:p@a/b?pass%77ord=x;y#z"))
	f.Fuzz(func(t *testing.T, url []byte) {
		if bytes.ContainsAny(url, "*") {
			return
		}
		got := AppendURL([]byte("before"), url)
		if !bytes.HasPrefix(got, []byte("before")) {
			t.Fatalf("%q: what stood before is gone", url)
		}
		if got = got[len("before"):]; !bytes.Contains(got, []byte(veil)) && !bytes.Equal(got, url) {
			t.Errorf("%q became %q without a veil", url, got)
		}
		if again := AppendURL(nil, got); !bytes.Equal(again, got) {
			t.Errorf("%q, veiled twice, is %q", got, again)
		}
	})
}
