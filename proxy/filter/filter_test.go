package filter

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func TestWrongOptions(t *testing.T) {
	f := func(name, words, want string) {
		t.Helper()
		_, err := New(name, options(words))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s {%s}: %v, want %s", name, words, err, want)
		}
	}
	f("strip", "", `no filter "strip", want one of request-headers, `)
	f("request-headers", "", "nothing to do, want set, add or remove")
	f("request-headers", "sett: {}", "sett")
	f("request-headers", "set: {Connection: close}", "Connection: is the proxy's alone")
	f("request-headers", "set: {Content-Length: '5'}", "Content-Length: is the proxy's alone")
	f("request-headers", "set: {'a b': c}", `"a b": not the name of a field`)
	f("request-headers", `set: {a: "b\r\nc: d"}`, "a field cannot hold that character")
	f("request-headers", `set: {a: "b\r\nc: d{host}"}`, "a field cannot hold that character")
	f("request-headers", "set: {a: '{hots}'}", "{hots}, want {client}, {scheme}")
	f("request-headers", "remove: [transfer-encoding]", "the proxy's alone")
	f("request-headers", "remove: [Host]", "host: a request has one, want set")
	f("request-headers", "add: {host: a.test}", "host: a request has one, want set")
	f("request-headers", "set: {X-*: a}", "set: X-*: want one field")
	f("buffer-request", "size: 1GiB", `size "1GiB": want 1 to 64MiB`)
	f("compress", "types: [text]", `types "text": want a media type`)
	f("compress", "types: []", "nothing to do, want types and codings")
	f("compress", "codings: [gzip, gzip]", "want some of zstd, br, gzip, each once")
	f("compress", "codings: [deflate]", "want some of zstd, br, gzip, each once")
	f("compress", "min-size: big", `min-size "big": want a size, such as 64KiB`)
	f("strip-prefix", "prefix: api", `prefix "api": want one or more whole segments, such as /api`)
	f("strip-prefix", "prefix: /", `prefix "/": want`)
	f("add-prefix", "prefix: /a b", "a path cannot hold ' ', write it as %20")
	f("rewrite", "{match: '(', to: /}", `match "(": want a regular expression`)
	f("rewrite", "{match: ^/a, to: b}", `to "b": want a path`)
	f("redirect", "{to: https://a.test, status: 200}", "status 200: want 301")
	f("redirect", "to: a.test", "want a URL or a path")
	f("redirect", "to: '{uri}'", "what a client sends cannot say where it goes")
	f("redirect", "to: '{host}/'", "what a client sends cannot say where it goes")
	f("redirect", "to: 'https://a.test{query}'", "would be a part of the host")
	f("redirect", "to: 'https://{header:x}/'", "would be a part of the host")
	f("redirect", "to: '/{path}'", "would be a part of the host")
	f("rewrite", "{match: '^/(a)', to: '/$1b'}", "match has no group 1b, want ${1} for the first")
	f("rewrite", "{match: '^/(a)', to: '/$2'}", "match has no group 2")
	f("access", "", "nobody is named")
	f("access", "allow: [10.0.0.1/8]", "bits are set behind its length, want 10.0.0.0/8")
	f("access", "deny: [home]", `"home": want an address or a prefix`)
	f("basic-auth", "", "nobody is named")
	f("basic-auth", "users: {a: secret}", `user "a": not a bcrypt hash`)
	f("basic-auth", "users: {a: $2y$20$0123456789012345678901234567890123456789012345678901.}", "cost 20 takes too long, want at most 16")
	f("cors", "{origins: [https://a.test], headers: ['*'], credentials: true}", "want methods and fields by name")
	f("basic-auth", "file: /none", "no such file")
	f("cors", "", "origins: want")
	f("cors", "{origins: ['*'], credentials: true}", "every site could act as its visitors")
	f("cors", "origins: [app.test]", "want scheme, host and port alone")
	f("cors", "origins: [https://app.test/]", "want scheme, host and port alone")
	f("rate-limit", "", `rate "": want requests in a time`)
	f("rate-limit", "rate: 10/d", `rate "10/d"`)
	f("rate-limit", "{rate: 1/s, burst: -1}", "burst -1")
	f("rate-limit", "{rate: 1/s, by: cookie}", `by "cookie": want`)
	f("rate-limit", "{rate: 1/s, shared: true}", "shared: nodes meet in Redis, want --redis")
	f("rate-limit", "{rate: 1/s, on-error: shut}", `on-error "shut": want local`)
	f("rate-limit", "{rate: 1/s, timeout: 1m}", "timeout 1m0s: want 1ms to 1s")
}

func TestHeaders(t *testing.T) {
	addr := start(t,
		made(t, "request-headers", "{set: {X-A: '{client} {scheme} {method} {host} {path} {query} {header:x-b} {{'}, remove: [Authorization]}"),
		made(t, "response-headers", "{set: {Server: us}, add: {X-B: '{uri}'}, remove: [X-Internal-*]}"))
	res, body := ask(t, addr, "GET /p?q=1", "X-A: mine", "X-B: b", "Authorization: secret")
	if want := `GET /p?q=1 ["127.0.0.1 http GET a.test /p q=1 b {"] []`; body != want {
		t.Errorf("%s, want %s", body, want)
	}
	if got := fmt.Sprint(res.Header["Server"], res.Header["X-B"], res.Header["X-Internal-A"]); got != "[us] [/p?q=1] []" {
		t.Error(got)
	}
}

func TestPaths(t *testing.T) {
	f := func(name, words, path, want string) {
		t.Helper()
		_, body := ask(t, start(t, made(t, name, words)), "GET "+path)
		if got := strings.Fields(body)[1]; got != want {
			t.Errorf("%s {%s} %s: %s, want %s", name, words, path, got, want)
		}
	}
	f("strip-prefix", "prefix: /api", "/api/x?y", "/x?y")
	f("strip-prefix", "prefix: /api/", "/api", "/")
	f("strip-prefix", "prefix: /api", "/api?x", "/?x")
	f("strip-prefix", "prefix: /api", "/apis", "/apis")
	f("strip-prefix", "prefix: /api", "/x/api/y", "/x/api/y")
	f("strip-prefix", "prefix: /api", "/%61p%69/%61?y", "/%61?y")
	f("strip-prefix", "prefix: /%61pi", "/api/x", "/x")
	f("strip-prefix", "prefix: /api", "/%61pis", "/%61pis")
	f("strip-prefix", "prefix: /api", "/%61p", "/%61p")
	f("strip-prefix", "prefix: /api", "/api%2Fx", "/api%2Fx")
	f("strip-prefix", "prefix: /a/b", "/a%2Fb/x", "/a%2Fb/x")
	f("strip-prefix", "prefix: /api", "/api//evil.test/x", "/evil.test/x")
	f("add-prefix", "prefix: /v2", "/x?y", "/v2/x?y")
	f("rewrite", "{match: '^/old/(.*)$', to: '/new/$1'}", "/old/a?b", "/new/a?b")
	f("rewrite", "{match: '^/old/(.*)$', to: '/new/$1'}", "/older", "/older")
	f("rewrite", "{match: '^/(a)(b)', to: '/${2}${1}'}", "/abc", "/bac")
}

func TestRewritesThatCannotBeSentAreRefused(t *testing.T) {
	f := func(words, path string, want int) {
		t.Helper()
		if res, body := ask(t, start(t, made(t, "rewrite", words)), "GET "+path); res.StatusCode != want {
			t.Errorf("{%s} %.40s: %d, want %d: %.80s", words, path, res.StatusCode, want, body)
		}
	}
	f("{match: '^/x/(.).*', to: '/$1'}", "/x/%41b", 400)
	f("{match: '^/x/(.*)', to: '/%$1'}", "/x/zz", 400)
	f("{match: '^/x/(.*)', to: '/%$1'}", "/x/41", 200)
	f("{match: '^/x/(.*)', to: '/$1$1$1'}", "/x/"+strings.Repeat("a", 6000), 400)
	f("{match: '^/x/(.*)', to: '/$1$1'}", "/x/"+strings.Repeat("a", 6000), 200)
}

func TestRedirects(t *testing.T) {
	f := func(words, path, want string) {
		t.Helper()
		res, _ := ask(t, start(t, made(t, "redirect", words)), "GET "+path)
		if got := fmt.Sprint(res.StatusCode, " ", res.Header.Get("Location")); got != want {
			t.Errorf("%s: %s, want %s", words, got, want)
		}
	}
	f("to: https://b.test{uri}", "/x?y", "308 https://b.test/x?y")
	f("{to: '/elsewhere', status: 302}", "/x", "302 /elsewhere")
	f("{to: '{scheme}://www.{host}{path}', status: 301}", "/x?y", "301 http://www.a.test/x")
}

func TestAccess(t *testing.T) {
	f := func(words string, want int) {
		t.Helper()
		if res, _ := ask(t, start(t, made(t, "access", words)), "GET /"); res.StatusCode != want {
			t.Errorf("{%s}: %d, want %d", words, res.StatusCode, want)
		}
	}
	f("allow: [127.0.0.0/8]", 200)
	f("allow: [10.0.0.0/8]", 403)
	f("deny: [10.0.0.0/8]", 200)
	f("deny: [127.0.0.1]", 403)
	f("{allow: [127.0.0.0/8], deny: [127.0.0.1]}", 403)
	f("{allow: [127.0.0.1], deny: [127.0.0.0/8]}", 200)
	f("{allow: [127.0.0.1], deny: [127.0.0.1]}", 403)
	f("deny: ['::ffff:127.0.0.1']", 403)
}

func TestBasicAuth(t *testing.T) {
	hash, _ := bcrypt.GenerateFromPassword([]byte("pa:ss"), bcrypt.MinCost)
	file := t.TempDir() + "/users"
	if err := os.WriteFile(file, []byte("# who\n\neve:"+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := start(t, made(t, "basic-auth", fmt.Sprintf("{users: {ann: %q}, file: %s, realm: the app}", hash, file)))
	f := func(line string, want string) {
		t.Helper()
		res, body := ask(t, addr, "GET /", line)
		if got := fmt.Sprint(res.StatusCode, " ", res.Header.Get("WWW-Authenticate")); strings.TrimSpace(got) != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
		if res.StatusCode == 200 && body != `GET / [] []` {
			t.Errorf("%s: %s", line, body)
		}
	}
	const asked = `401 Basic realm="the app", charset="UTF-8"`
	for range 2 {
		f("Authorization: Basic YW5uOnBhOnNz", "200")
		f("Authorization: basic  ZXZlOnBhOnNz", "200")
		f("X-A: b", asked)
		f("Authorization: Basic YW5uOnBhOnNzZg==", asked)
		f("Authorization: Basic Ym9iOnBhOnNz", asked)
		f("Authorization: Basic !", asked)
		f("Authorization: Bearer YW5uOnBhOnNz", asked)
	}
}

func TestCORS(t *testing.T) {
	named := start(t, made(t, "cors", "{origins: [https://app.test], credentials: true, expose: [X-A], methods: [PUT], headers: [X-B], max-age: 1m}"))
	open := start(t, made(t, "cors", "origins: ['*']"))
	f := func(addr, line, origin, want string) {
		t.Helper()
		res, _ := ask(t, addr, line, "Access-Control-Request-Method: PUT", origin)
		h := res.Header
		got := fmt.Sprint(res.StatusCode, h["Access-Control-Allow-Origin"], h["Access-Control-Allow-Credentials"], h["Access-Control-Expose-Headers"],
			h["Access-Control-Allow-Methods"], h["Access-Control-Allow-Headers"], h["Access-Control-Max-Age"], h["Vary"])
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s %s: %s, want %s", line, origin, got, want)
		}
	}
	f(named, "GET /", "Origin: https://app.test", "200 [https://app.test] [true] [X-A] [] [] [] [Origin]")
	f(named, "GET /", "Origin: https://evil.test", "200 [] [] [] [] [] [] [Origin]")
	f(named, "GET /", "X-A: b", "200 [] [] [] [] [] [] [Origin]")
	f(named, "OPTIONS /", "Origin: https://app.test", "204 [https://app.test] [true] [X-A] [PUT] [X-B] [60] [Origin]")
	f(named, "OPTIONS /", "Origin: https://evil.test", "204 [] [] [] [] [] [] [Origin]")
	f(named, "OPTIONS /", "X-A: b", "200 [] [] [] [] [] [] [Origin]")
	f(open, "GET /", "Origin: https://evil.test", "200 [*] [] [] [] [] [] []")
	f(open, "OPTIONS /", "Origin: https://evil.test", "204 [*] [] [] [GET, HEAD, POST] [] [600] []")
}

func TestRateLimit(t *testing.T) {
	limit := made(t, "rate-limit", "{rate: 1/m, burst: 2, by: 'header:x-a'}")
	var passed atomic.Int64
	began := time.Now()
	limit.(*rate).now = func() time.Time { return began.Add(time.Duration(passed.Load())) }
	addr := start(t, limit)
	f := func(who string, want string) {
		t.Helper()
		res, _ := ask(t, addr, "GET /", "X-A: "+who)
		h := res.Header
		got := fmt.Sprint(res.StatusCode, h["Ratelimit-Limit"], h["Ratelimit-Remaining"], h["Ratelimit-Reset"], h["Ratelimit-Policy"], h["Retry-After"])
		if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s: %s, want %s", who, got, want)
		}
	}
	f("ann", "200 [2] [1] [60] [2;w=120] []")
	f("ann", "200 [2] [0] [120] [2;w=120] []")
	f("ann", "429 [2] [0] [120] [2;w=120] [60]")
	f("eve", "200 [2] [1] [60] [2;w=120] []")
	passed.Add(int64(30 * time.Second))
	f("ann", "429 [2] [0] [120] [2;w=120] [30]")
	passed.Add(int64(30 * time.Second))
	f("ann", "200 [2] [0] [120] [2;w=120] []")
	f("ann", "429 [2] [0] [120] [2;w=120] [60]")
	f("", "200 [2] [1] [60] [2;w=120] []")
	f("", "200 [2] [0] [120] [2;w=120] []")
	f("", "429 [2] [0] [120] [2;w=120] [60]")
}

func TestWhatIsRememberedOfRatesIsBounded(t *testing.T) {
	var table times
	for i := range uint64(mostTimes + 1000) { // all of one shard, and all owing
		table.take(i, 0, 1, 10)
	}
	if n := len(table.shards[0].of); n > mostTimes {
		t.Errorf("%d keys", n)
	}
	before := table.shards[0].of[mostTimes+999]
	table.take(1<<40, 5, 1, 10) // later, when nobody owes any more but who comes then
	if n := len(table.shards[0].of); n > mostTimes-50 {
		t.Errorf("%d keys are still there, one of %d among them", n, before)
	}
}

func TestRatesCountEachRequestOnce(t *testing.T) {
	var table times
	var got [8]int
	done := make(chan int)
	for g := range got {
		go func() {
			for range 1000 {
				if _, wait := table.take(7, 0, 1, 500); wait == 0 {
					got[g]++
				}
			}
			done <- g
		}()
	}
	sum := 0
	for range got {
		sum += got[<-done]
	}
	if sum != 500 {
		t.Errorf("%d let through, want 500", sum)
	}
}
