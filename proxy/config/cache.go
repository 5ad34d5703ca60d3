package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// leastCache is the smallest memory tier that can keep its word: what holds
// stored answers takes memory from the system in pieces of 64 MiB.
const leastCache = 64 << 20

const (
	mostCache   = 64 << 40 // beyond, a typing error
	leastObject = 1 << 10
	mostObject  = 1 << 40
)

// cacheSize takes nothing at all or enough.
var cacheSize = value{
	read: func(c *Config, w string) error {
		if w == off || w == "0" {
			return nil
		}
		n, err := parseSize(w)
		if err == nil && (n < leastCache || n > mostCache) {
			err = fmt.Errorf("out of range, want %s to %s, or 0 for no cache", showSize(leastCache), showSize(mostCache))
		}
		if err == nil {
			c.Cache.Memory = n
		}
		return err
	},
	show: func(c *Config) []string { return []string{showSize(c.Cache.Memory)} },
}

// cached is a setting that shows nothing where nothing would come of it.
func cached(v value) value { return shownIf(func(c *Config) bool { return c.Cache.Memory > 0 }, v) }

func shownIf(wanted func(*Config) bool, v value) value {
	show := v.show
	v.show = func(c *Config) []string {
		if !wanted(c) {
			return nil
		}
		return show(c)
	}
	return v
}

// list is words that check takes, and changes to what they are compared as.
func list(check func(string) (string, error), at func(*Cache) *[]string) value {
	return cached(value{
		read: func(c *Config, w string) error {
			w, err := check(w)
			*at(&c.Cache) = append(*at(&c.Cache), w)
			return err
		},
		show: func(c *Config) []string { return *at(&c.Cache) },
	})
}

// listOrNone is a list that may be empty.
func listOrNone(check func(string) (string, error), at func(*Cache) *[]string) value {
	v := list(check, at)
	read := v.read
	v.read = func(c *Config, w string) error {
		if w == none {
			return nil
		}
		return read(c, w)
	}
	v.show = cached(value{show: func(c *Config) []string { return orWord(*at(&c.Cache), none) }}).show
	return v
}

// checkPattern takes what package cache/key can compile. What it says of
// hosts is left to it.
func checkPattern(w string) (string, error) {
	i := strings.IndexAny(w, "/~")
	switch {
	case i < 0 && strings.ContainsAny(w, `{}()[]\^$`): // what a comma left of ~a{1,3}
		return w, errors.New(`neither a path nor ~ and a regular expression; a comma ends a pattern, want \x2c for one in it, or two patterns`)
	case i < 0:
		return w, fmt.Errorf("missing path, want one such as /%s or /%s/*", w, w)
	case strings.Contains(w[:i+1], ":/"):
		return w, errors.New("has a scheme, want the host and the path alone, such as example.org/static/*")
	case w[i] == '~':
		return w, checkRegexp(w[i+1:])
	}
	path := strings.TrimSuffix(w[i:], "*")
	switch {
	case strings.Contains(path, "*"):
		return w, errors.New(`* stands for the rest of a path, want it once and at the end, or a regular expression such as ~^/a/.*\.css$`)
	case strings.ContainsAny(path, "?#"):
		return w, fmt.Errorf("the query does not count, want the path alone, such as %s", w[:strings.IndexAny(w, "?#")])
	}
	return w, nil
}

func checkRegexp(expr string) error {
	if expr == "" {
		return errors.New(`missing regular expression, want one such as ~\.css$`)
	}
	if _, err := regexp.Compile(expr); err != nil {
		return fmt.Errorf(`%w; a comma ends a pattern, want \x2c for one`, err)
	}
	return nil
}

func checkField(w string) (string, error) {
	if w == "*" {
		return w, errors.New("varies by everything, so that nothing could be used, want names, or --cache-never /*")
	}
	if !isToken(w) {
		return w, errors.New("no header field can be called that")
	}
	return strings.ToLower(w), nil
}

func checkParameter(w string) (string, error) {
	switch {
	case strings.ContainsAny(w, "&=?# "):
		return w, errors.New("no query parameter can be called that; it is compared as it is sent, such as a%20b")
	case strings.Contains(strings.TrimSuffix(w, "*"), "*"):
		return w, errors.New("* stands for the rest of a name, want it once and at the end, such as utm_*")
	}
	return w, nil
}

var cacheFile = cached(value{
	read: func(c *Config, w string) error {
		if w == none || w == off {
			return nil
		}
		c.Cache.File = w
		return checkCacheFile(w)
	},
	show: func(c *Config) []string { return []string{orNothing(c.Cache.File, none)} },
})

// savedCache is in every directory that a cache was kept in (cache/memory).
const savedCache = "multiserver-cache"

// checkCacheFile takes what may be written over: nothing, or the directory that
// a cache was kept in, which is replaced as a whole.
func checkCacheFile(path string) error {
	if path == "-" {
		return errors.New("is not a file, want one such as /var/cache/multiserver")
	}
	info, err := os.Stat(path)
	if err != nil {
		return checkLogPath(path)
	}
	if _, err := os.Stat(filepath.Join(path, savedCache)); err == nil {
		return nil
	}
	if info.IsDir() {
		return fmt.Errorf("is a directory with other things in it, want a path of its own, such as %s", filepath.Join(path, "multiserver.cache"))
	}
	return fmt.Errorf("is there already and is no kept cache, want a path of its own, such as %s", path+".cache")
}

var purgeFrom = cached(value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		p, err := parsePrefix(w)
		c.Cache.PurgeFrom = append(c.Cache.PurgeFrom, p)
		return err
	},
	show: func(c *Config) []string { return orWord(showPrefixes(c.Cache.PurgeFrom), none) },
})

func showPrefixes(prefixes []netip.Prefix) (words []string) {
	for _, p := range prefixes {
		words = append(words, p.String())
	}
	return words
}

// checkCache finds what was given in vain. With --cache 0 the rest may stay,
// so that the cache can be off for a while; nothing of it counts then.
func (c *Config) checkCache(add func(name, value, why string, args ...any), raw Raw) {
	if c.Cache.Memory == 0 {
		of := func(name string) bool { return name != "cache" }
		if shared := c.Cache.Redis; c.Hub.Used || c.Session.used == "redis" || len(c.TLS.Listen) > 0 { // it is theirs, too, as are ticket keys and ACME's certificates
			c.Cache = Cache{Redis: shared}
			of = func(name string) bool { return name != "cache" && !strings.HasPrefix(name, "redis") }
		} else {
			c.Cache = Cache{}
		}
		if _, given := raw["cache"]; !given {
			inVain(add, raw, of, "there is no cache, want --cache SIZE as well, such as --cache 256MiB")
		}
		return
	}
	if most := c.Cache.Memory / 2; c.Cache.Object > most {
		add("cache-object", showSize(c.Cache.Object), "more than half of --cache %s, want %s at most", showSize(c.Cache.Memory), showSize(most))
	}
	if len(c.Cache.Redis.Addrs) == 0 {
		c.Cache.Redis = Redis{}
		if _, given := raw["redis"]; !given {
			inVain(add, raw, func(name string) bool { return strings.HasPrefix(name, "redis-") }, "there is no Redis, want --redis URL as well, such as --redis redis://127.0.0.1:6379")
		}
	}
}

// inVain complains of the cache's settings of some names.
func inVain(add func(name, value, why string, args ...any), raw Raw, of func(name string) bool, why string) {
	for i := range Settings {
		name := Settings[i].Name
		if _, given := raw[name]; given && Settings[i].Group == groupCache && of(name) {
			add(name, "", why)
		}
	}
}
