package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCacheIsFilledIn(t *testing.T) {
	got, err := Parse(rawOf("--upstream http://app\n--cache 64MiB\n--cache-vary Accept,X-User\n--cache-drop-query utm_*\n" +
		"--cache-never /a,~^/b\n--redis redis://:pw@cache"))
	if err != nil {
		t.Fatal(err)
	}
	want := Cache{
		Memory: 64 << 20, Object: 8 << 20,
		Paths: []string{"/*"}, Never: []string{"/a", "~^/b"},
		Vary: []string{"accept", "x-user"}, DropQuery: []string{"utm_*"},
		Wait: 5 * time.Second, Stale: 10 * time.Second,
		PurgeFrom: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		Redis:     Redis{Addrs: []string{"cache:6379"}, Password: "pw", Timeout: 20 * time.Millisecond, Prefix: "multiserver"},
	}
	if !reflect.DeepEqual(got.Cache, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got.Cache, want)
	}
}

func TestCachePatterns(t *testing.T) {
	f := func(w, why string) {
		t.Helper()
		_, err := checkPattern(w)
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%q: %v, want %q", w, err, why)
		}
	}
	f("/", "")
	f("/*", "")
	f("/a/b", "")
	f("/a*", "")
	f(`~\.css$`, "")
	f("~^/a/(b|c)", "")
	f("example.org/*", "")
	f("*.example.org/a", "")
	f("example.org~^/a", "")
	f("a", "missing path, want one such as /a or /a/*")
	f("*", "missing path")
	f("3}", "a comma ends a pattern")
	f("~", "missing regular expression")
	f("~(", "missing closing )")
	f("/*/a", "once and at the end")
	f("/a**", "once and at the end")
	f("/a?b", "want the path alone, such as /a")
	f("http://example.org/", "has a scheme")
}

func TestRedisURLs(t *testing.T) {
	f := func(s string, want Redis, shown string) {
		t.Helper()
		got, err := parseRedis(s)
		if err != nil || !reflect.DeepEqual(got, want) || got.String() != shown {
			t.Errorf("%q: %+v as %s, %v, want %+v as %s", s, got, got.String(), err, want, shown)
		}
		if again, err := parseRedis(got.String()); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%q: read back %+v, %v", s, again, err)
		}
	}
	one := []string{"cache:6379"}
	f("redis://cache", Redis{Addrs: one}, "redis://cache:6379")
	f("redis://cache:6379/", Redis{Addrs: one}, "redis://cache:6379")
	f("redis://cache/0", Redis{Addrs: one}, "redis://cache:6379")
	f("redis://cache/3", Redis{Addrs: one, DB: 3}, "redis://cache:6379/3")
	f("REDISS://[::1]:7000", Redis{TLS: true, Addrs: []string{"[::1]:7000"}}, "rediss://[::1]:7000")
	f("redis://:pw@cache", Redis{Addrs: one, Password: "pw"}, "redis://:pw@cache:6379")
	f("redis://me:p%40w@cache", Redis{Addrs: one, User: "me", Password: "p@w"}, "redis://me:p%40w@cache:6379")
	f("redis://me:p@/w@cache", Redis{Addrs: one, User: "me", Password: "p@/w"}, "redis://me:p%40%2Fw@cache:6379")
	f("redis-sentinel://a,b:1/main", Redis{Mode: "sentinel", Addrs: []string{"a:26379", "b:1"}, Master: "main"}, "redis-sentinel://a:26379,b:1/main")
	f("rediss-sentinel://:pw@a/main/2", Redis{Mode: "sentinel", TLS: true, Addrs: []string{"a:26379"}, Master: "main", Password: "pw", DB: 2},
		"rediss-sentinel://:pw@a:26379/main/2")
	f("redis-cluster://a,b:1", Redis{Mode: "cluster", Addrs: []string{"a:6379", "b:1"}}, "redis-cluster://a:6379,b:1")
	f("rediss-cluster://a", Redis{Mode: "cluster", TLS: true, Addrs: []string{"a:6379"}}, "rediss-cluster://a:6379")

	// Each is a way to misplace a password; none may show it.
	wrong := func(s, why string) {
		t.Helper()
		_, err := parseRedis(s)
		if err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, want %q", s, err, why)
		}
	}
	wrong("s3cret@cache:6379", "missing scheme")
	wrong("cache:6379", "missing scheme")
	wrong("s3cret://cache", "scheme")
	wrong("redisss://cache", "scheme")
	wrong("redis://", "address 1 is not host:port, want one such as redis://10.0.0.5:6379")
	wrong("redis://:s3cret", "address 1 is not host:port")
	wrong("redis://cache:s3cret", "address 1 is not host:port")
	wrong("redis://s3cret@cache", "a user without a password")
	wrong("redis://me:@cache", "a user without a password")
	wrong("redis://…@cache", "left out")
	wrong("redis://me:…@cache", "left out")
	wrong("redis://:s3cret%@cache", "want %25")
	wrong("redis://cache?password=s3cret", "query")
	wrong("redis://cache/s3cret", "no database is called that")
	wrong("redis://cache/-1", "no database is called that")
	wrong("redis://a,b", "several addresses")
	wrong("redis-cluster://a,,b", "address 2 is not host:port, want one such as redis-cluster://")
	wrong("redis-cluster://a/1", "a cluster has no databases")
	wrong("redis-sentinel://a,b", "missing the master's name")
	wrong("redis-sentinel://a/main/x", "no database is called that")
}

func TestRedisPasswordIsNeverPrinted(t *testing.T) {
	f := func(args string) {
		t.Helper()
		if out := outcome(rawOf("--upstream http://app\n" + args)); strings.Contains(out, "s3cret") {
			t.Errorf("%q shows the secret:\n%s", args, out)
		}
	}
	f("--cache 64MiB\n--redis redis://:s3cret@cache")
	f("--cache 64MiB\n--redis redis://me:s3cret@cache/0")
	f("--cache 64MiB\nMULTISERVER_REDIS=redis-sentinel://me:s3cret@cache/main")
	f("--redis redis://me:s3cret@cache")
	f("--redis redis://s3cret@cache")
	f("--redis redis:s3cret@cache")
	f("--redis redis://cache/s3cret")
	f("--redis redis://a:s3cret@cache\n--redis redis://b:s3cret@cache")
}

// What is written over must be ours, or nothing.
func TestCacheFileIsNobodyElses(t *testing.T) {
	dir := t.TempDir()
	ours := filepath.Join(dir, "ours")
	if err := os.Mkdir(ours, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path string) {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(ours, savedCache))
	write(filepath.Join(dir, "file"))
	f := func(path, why string) {
		t.Helper()
		err := checkCacheFile(path)
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%q: %v, want %q", path, err, why)
		}
	}
	f(ours, "")
	f(filepath.Join(dir, "new"), "")
	f(filepath.Join(dir, "file"), "want a path of its own, such as "+filepath.Join(dir, "file.cache"))
	f(dir, "want a path of its own, such as "+filepath.Join(dir, "multiserver.cache"))
	f(filepath.Join(dir, "none", "new"), "its directory")
	f("-", "not a file")
}

// Each setting of the group is in vain without a cache, and says so.
func TestCacheSettingsInVain(t *testing.T) {
	for i := range Settings {
		s := &Settings[i]
		if s.Group != groupCache || s.Name == "cache" {
			continue
		}
		raw := rawOf("--upstream http://app")
		raw.Add(s.Name, "--"+s.Name, split([]string{orNothing(s.Default, "true")})[0])
		if _, err := Parse(raw); err == nil || !strings.HasPrefix(err.Error(), "--"+s.Name+": there is no cache") {
			t.Errorf("--%s: %v", s.Name, err)
		}
		raw.Add("cache", "--cache", "0")
		if c, err := Parse(raw); err != nil || !reflect.DeepEqual(c.Cache, Cache{}) ||
			slices.ContainsFunc(c.Lines(), func(l string) bool { return strings.HasPrefix(l, "--"+s.Name+" ") }) {
			t.Errorf("--%s with --cache 0: %v", s.Name, err)
		}
	}
}
