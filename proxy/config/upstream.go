package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxWeight bounds how far apart two upstreams' shares can be. Pickers lay
// weights out in advance, and a thousand to one is plenty.
const maxWeight = 1000

var upstreams = value{
	read: func(c *Config, w string) error {
		t, err := parseTarget(w)
		if err != nil {
			return err
		}
		for _, other := range c.Upstreams {
			if t.Address == other.Address && t.TLS == other.TLS {
				return fmt.Errorf("given twice, want it once; %s;weight=2 takes a double share", t.URL)
			}
		}
		c.Upstreams = append(c.Upstreams, t)
		return nil
	},
	show: func(c *Config) (words []string) {
		for _, t := range c.Upstreams {
			words = append(words, t.String())
		}
		return words
	},
}

// String writes the target as an operator would, with its options.
func (t Target) String() string {
	if t.Weight > 1 {
		return t.URL + ";weight=" + strconv.FormatUint(uint64(t.Weight), 10)
	}
	return t.URL
}

// parseTarget reads URL[;weight=N].
func parseTarget(s string) (Target, error) {
	url, options, hasOptions := strings.Cut(s, ";")
	t, err := parseURL(url)
	if err != nil {
		return Target{}, err
	}
	t.Weight = 1
	if !hasOptions {
		return t, nil
	}
	for option := range strings.SplitSeq(options, ";") {
		if err := t.option(option); err != nil {
			return Target{}, err
		}
	}
	return t, nil
}

func (t *Target) option(s string) error {
	name, word, _ := strings.Cut(s, "=")
	if name != "weight" {
		return fmt.Errorf("unknown option %q, want ;weight=N", ";"+s)
	}
	n, err := strconv.Atoi(word)
	if err == nil && n == 0 {
		return errors.New("weight 0 takes no requests, leave the upstream out instead")
	}
	if err != nil || n < 1 || n > maxWeight {
		return fmt.Errorf("weight %q, want 1 to %d", word, maxWeight)
	}
	t.Weight = uint32(n)
	return nil
}

// parseURL reads scheme://host[:port] and unix:/path, and nothing more: a
// request keeps its own path and query, so an upstream's would be a rewrite.
func parseURL(s string) (Target, error) {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		a, err := parseUnix(path)
		return Target{URL: unixPrefix + a.Addr, Address: a}, err
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return Target{}, fmt.Errorf("missing scheme, want %s", guess(s))
	}
	scheme = strings.ToLower(scheme)
	defaultPort, ok := map[string]string{"http": "80", "https": "443"}[scheme]
	if !ok {
		return Target{}, fmt.Errorf("scheme %q is not supported, want http://, https:// or unix:/path", scheme)
	}
	authority, err := onlyAuthority(scheme, rest)
	if err != nil {
		return Target{}, err
	}
	host, port, err := splitHostPort(authority)
	if err != nil {
		return Target{}, err
	}
	if err := checkHost(host, false); err != nil {
		return Target{}, err
	}
	if port == "" {
		port = defaultPort
	}
	port, err = parsePort(port, 1)
	if err != nil {
		return Target{}, err
	}
	return Target{
		URL:     scheme + "://" + authority,
		TLS:     scheme == "https",
		Address: Address{Network: "tcp", Addr: net.JoinHostPort(host, port)},
		Host:    authority,
	}, nil
}

// onlyAuthority refuses what may follow or precede host:port in a URL. A
// single slash at the end says nothing and is let go.
func onlyAuthority(scheme, rest string) (string, error) {
	authority := rest
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority = rest[:i]
	}
	tail := rest[len(authority):]
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		return "", fmt.Errorf("user and password are not supported, want %s://%s", scheme, authority[i+1:])
	}
	switch {
	case tail == "" || tail == "/":
		return authority, nil
	case tail[0] == '/':
		return "", fmt.Errorf("a path is not supported (requests keep their own), want %s://%s", scheme, authority)
	}
	return "", fmt.Errorf("a query or fragment is not supported, want %s://%s", scheme, authority)
}

// guess is what someone may have meant who left the scheme out.
func guess(s string) string {
	s = strings.TrimPrefix(s, "//")
	if strings.HasPrefix(s, "/") || strings.HasPrefix(s, "./") {
		return unixPrefix + s
	}
	if i := strings.IndexAny(s, "/?#@"); i >= 0 {
		return "http://127.0.0.1:3000" // too far from anything to repeat
	}
	if _, err := strconv.Atoi(s); err == nil {
		return "http://127.0.0.1:" + s
	}
	if a, err := netip.ParseAddr(s); err == nil {
		return "http://" + net.JoinHostPort(a.String(), "80")
	}
	if strings.HasPrefix(s, ":") {
		return "http://127.0.0.1" + s
	}
	if !strings.Contains(s, ":") {
		s += ":80"
	}
	return "http://" + s
}

// withoutUserinfo hides what may be a password from a message.
func withoutUserinfo(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 0 || strings.HasPrefix(s, unixPrefix) {
		return s
	}
	scheme, _, ok := strings.Cut(s[:at], "://")
	if !ok {
		return "…" + s[at:]
	}
	return scheme + "://…" + s[at:]
}
