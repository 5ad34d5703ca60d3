package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// redisSchemes are those of --redis. With each goes one with TLS, in whose
// name "rediss" takes the place of "redis".
var redisSchemes = map[string]struct{ mode, port, example string }{
	"redis":          {"", "6379", "redis://10.0.0.5:6379"},
	"redis-sentinel": {"sentinel", "26379", "redis-sentinel://10.0.0.5:26379,10.0.0.6:26379/mymaster"},
	"redis-cluster":  {"cluster", "6379", "redis-cluster://10.0.0.5:6379,10.0.0.6:6379"},
}

// hidden is what withoutUserinfo leaves of a password. Whoever copies it from
// what `check` prints must not get a connection with it as the password.
const hidden = "…"

var redisURL = value{
	read: func(c *Config, w string) error {
		if w == none || w == off {
			return nil
		}
		r, err := parseRedis(w)
		if err != nil {
			return err
		}
		r.Timeout, r.Prefix = c.Cache.Redis.Timeout, c.Cache.Redis.Prefix
		c.Cache.Redis = r
		return nil
	},
	show: func(c *Config) []string {
		if len(c.Cache.Redis.Addrs) == 0 {
			return nil
		}
		return []string{c.Cache.Redis.String()}
	},
	veil: func(c *Config) string { return withoutUserinfo(c.Cache.Redis.String()) },
}

// withRedis is a setting that shows nothing where there is none.
func withRedis(v value) value {
	return shownIf(func(c *Config) bool { return len(c.Cache.Redis.Addrs) > 0 }, v)
}

// String writes it as an operator would, password included.
func (r Redis) String() string {
	s := "redis"
	if r.TLS {
		s += "s"
	}
	if r.Mode != "" {
		s += "-" + r.Mode
	}
	s += "://"
	if r.Password != "" {
		s += url.UserPassword(r.User, r.Password).String() + "@"
	}
	s += strings.Join(r.Addrs, ",")
	if r.Master != "" {
		s += "/" + r.Master
	}
	if r.DB > 0 {
		s += "/" + strconv.Itoa(r.DB)
	}
	return s
}

// parseRedis reads --redis. Its errors show nothing of the URL: what is a
// password in a malformed one, nobody knows.
func parseRedis(s string) (r Redis, err error) {
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	plain := scheme
	if r.TLS = strings.HasPrefix(scheme, "rediss"); r.TLS {
		plain = "redis" + scheme[len("rediss"):]
	}
	kind, known := redisSchemes[plain]
	if !ok || !known {
		return r, errors.New("unknown or missing scheme, want redis://, rediss:// (TLS), redis-sentinel:// or redis-cluster://, such as redis://10.0.0.5:6379")
	}
	r.Mode = kind.mode
	// A password may have any sign in it, also those that should be encoded.
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if r.User, r.Password, err = parseUserinfo(rest[:i]); err != nil {
			return r, err
		}
		rest = rest[i+1:]
	}
	addrs, path, hasPath := strings.Cut(rest, "/")
	if strings.ContainsAny(rest, "?#") {
		return r, fmt.Errorf("a query or fragment is not supported, want one such as %s", kind.example)
	}
	if r.Addrs, err = parseRedisAddrs(addrs, kind.port); err != nil {
		return r, fmt.Errorf("%w, want one such as %s", err, kind.example)
	}
	return r, r.parsePath(path, hasPath)
}

func parseUserinfo(s string) (user, password string, err error) {
	user, password, ok := strings.Cut(s, ":")
	switch {
	case s == hidden || password == hidden:
		return "", "", fmt.Errorf("the password is left out here, want it in the place of %s", hidden)
	case !ok || password == "":
		return "", "", errors.New("a user without a password, want user:password@, or :password@ for the default user")
	}
	user, err1 := url.PathUnescape(user)
	password, err2 := url.PathUnescape(password)
	if err1 != nil || err2 != nil {
		return "", "", errors.New("a % in user or password is not followed by two hexadecimal digits, want %25 for it")
	}
	return user, password, nil
}

func parseRedisAddrs(list, port string) (addrs []string, err error) {
	for n, a := range strings.Split(list, ",") {
		host, p, err := splitHostPort(strings.TrimSpace(a))
		if p == "" {
			p = port
		}
		if err == nil {
			err = checkHost(host, false)
		}
		if err == nil {
			p, err = parsePort(p, 1)
		}
		if err != nil {
			return nil, fmt.Errorf("address %d is not host:port", n+1)
		}
		addrs = append(addrs, net.JoinHostPort(host, p))
	}
	return addrs, nil
}

// parsePath reads the database, or a sentinel's /master[/db].
func (r *Redis) parsePath(path string, given bool) (err error) {
	switch r.Mode {
	case "cluster":
		if path != "" {
			return errors.New("a cluster has no databases, want nothing after the addresses")
		}
		return nil
	case "sentinel":
		r.Master, path, given = strings.Cut(path, "/")
		if r.Master == "" {
			return errors.New("missing the master's name, want it after the addresses, such as /mymaster")
		}
	case "":
		if len(r.Addrs) > 1 {
			return errors.New("several addresses, want one, or redis-sentinel://host:port,host:port/name or redis-cluster://host:port,host:port")
		}
	}
	if path == "" {
		return nil
	}
	if r.DB, err = strconv.Atoi(path); !given || err != nil || r.DB < 0 || r.DB > maxRedisDB {
		return fmt.Errorf("no database is called that, want a number of 0 to %d after the slash, such as /1", maxRedisDB)
	}
	return nil
}

// maxRedisDB is generous: servers have 16 unless told otherwise.
const maxRedisDB = 1 << 16

var redisPrefix = withRedis(value{
	read: func(c *Config, w string) error {
		c.Cache.Redis.Prefix = w
		// Braces would put all keys on one node of a cluster, and * ? [ mean
		// others' keys, too, to who looks for them.
		if len(w) > 64 || strings.ContainsFunc(w, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`{}*?[]\`, r) }) {
			return errors.New(`cannot begin a key, want at most 64 letters, digits and signs, without any of { } * ? [ ] \`)
		}
		return nil
	},
	show: func(c *Config) []string { return []string{c.Cache.Redis.Prefix} },
})
