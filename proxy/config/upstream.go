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

// maxAtOnce bounds counts of exchanges and connections: beyond it is a typing
// error.
const maxAtOnce = 1 << 20

// schemes are those of an upstream's URL: h2c is what Caddy and Traefik call
// HTTP/2 in the clear, and h2 is what HTTP/2 is called within TLS. Those without
// a port have none to be written: SRV records bring their own.
var schemes = map[string]struct {
	port string
	like string // how it is reached
	h2   bool
}{
	"http":      {port: "80", like: "http"},
	"https":     {port: "443", like: "https"},
	"h2c":       {port: "80", like: "http", h2: true},
	"h2":        {port: "443", like: "https", h2: true},
	"srv+http":  {like: "srv+http"},
	"srv+https": {like: "srv+https"},
	"srv+h2c":   {like: "srv+http", h2: true},
	"srv+h2":    {like: "srv+https", h2: true},
}

// unixH2Prefix is as Caddy has it, too.
const unixH2Prefix = "unix+h2c:"

const wantScheme = "http://, https://, h2c://, h2:// (by TLS), srv+ before one of these, unix:/path or unix+h2c:/path"

var upstreams = value{
	read: func(c *Config, w string) error {
		t, err := parseTarget(w)
		if err != nil {
			return err
		}
		for _, other := range c.Upstreams {
			if t.same(other) {
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
	s := t.URL
	if t.Weight > 1 {
		s += ";weight=" + strconv.FormatUint(uint64(t.Weight), 10)
	}
	if t.Max > 0 {
		s += ";max=" + strconv.Itoa(t.Max)
	}
	if t.Backup {
		s += ";backup"
	}
	if t.Pipeline > 0 {
		s += ";pipeline=" + strconv.Itoa(t.Pipeline)
	}
	if t.SendProxy > 0 {
		s += ";send-proxy=v" + strconv.Itoa(t.SendProxy)
	}
	return s
}

// same tells whether both are one place, whatever their options.
func (t Target) same(o Target) bool {
	return t.Scheme == o.Scheme && t.H2 == o.H2 && t.Host == o.Host && t.Port == o.Port
}

// address is where it is, if that is known without asking DNS for a service.
func (t Target) address() Address {
	switch {
	case t.Scheme == "unix":
		return Address{Network: "unix", Addr: t.Host}
	case t.Port == "":
		return Address{}
	}
	return Address{Network: "tcp", Addr: net.JoinHostPort(t.Host, t.Port)}
}

// parseTarget reads URL[;weight=N][;max=N][;backup][;pipeline=N][;send-proxy=V].
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
	seen := map[string]bool{}
	for option := range strings.SplitSeq(options, ";") {
		name, word, hasWord := strings.Cut(option, "=")
		if seen[name] {
			return Target{}, fmt.Errorf(";%s given twice, want it once", name)
		}
		seen[name] = true
		if err := t.option(name, word, hasWord); err != nil {
			return Target{}, err
		}
	}
	return t, t.consistent()
}

// consistent tells which of t's options do not go together.
func (t *Target) consistent() error {
	switch {
	case t.H2 && t.SendProxy > 0:
		return errors.New("send-proxy says whose a connection is, but HTTP/2's carry many clients: want http://, https:// or unix:/path with it")
	case t.Pipeline > 0 && t.SendProxy > 0:
		return errors.New("send-proxy says whose a connection is, but with pipeline it carries many clients: want one of them")
	case t.Pipeline > 0 && t.H2:
		return errors.New("pipeline is for HTTP/1.1: HTTP/2's connections carry many clients by themselves, leave it out")
	case t.Pipeline > 0 && strings.HasSuffix(t.Scheme, "https"):
		return errors.New("pipeline is for upstreams in the clear: of a connection by TLS nobody can tell whether it is silent; want http:// or unix:/path with it, or h2:// without")
	}
	return nil
}

func (t *Target) option(name, word string, hasWord bool) (err error) {
	switch name {
	case "weight":
		t.Weight, err = parseWeight(word)
	case "max":
		t.Max, err = parseMax(word)
	case "backup":
		if t.Backup = true; hasWord {
			err = errors.New(";backup takes no value")
		}
	case "pipeline":
		t.Pipeline, err = parsePipeline(word)
	case "send-proxy":
		t.SendProxy, err = parseSendProxy(word)
	default:
		err = fmt.Errorf("unknown option %q, want ;weight=N, ;max=N, ;backup, ;pipeline=N or ;send-proxy=v1|v2", ";"+name)
	}
	return err
}

// maxPipeline bounds who may be held up by one answer.
const maxPipeline = 256

func parsePipeline(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 2 || n > maxPipeline {
		return 0, fmt.Errorf("pipeline %q, want 2 to %d requests under way on a connection, or none of it", word, maxPipeline)
	}
	return n, nil
}

func parseSendProxy(word string) (int, error) {
	switch word {
	case "v1":
		return 1, nil
	case "v2":
		return 2, nil
	}
	return 0, fmt.Errorf("send-proxy %q, want v1 (a line) or v2 (bytes), whichever the upstream reads", word)
}

func parseWeight(word string) (uint32, error) {
	n, err := strconv.Atoi(word)
	if err == nil && n == 0 {
		return 0, errors.New("weight 0 takes no requests, leave the upstream out instead")
	}
	if err != nil || n < 1 || n > maxWeight {
		return 0, fmt.Errorf("weight %q, want 1 to %d", word, maxWeight)
	}
	return uint32(n), nil
}

// parseMax takes 0 for no limit, as nginx and HAProxy do.
func parseMax(word string) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil || n < 0 || n > maxAtOnce {
		return 0, fmt.Errorf("max %q, want 1 to %d exchanges at once, or 0 for no limit", word, maxAtOnce)
	}
	return n, nil
}

// parseURL reads scheme://host[:port] and unix:/path, and nothing more: a
// request keeps its own path and query, so an upstream's would be a rewrite.
func parseURL(s string) (Target, error) {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		a, err := parseUnix(path)
		return Target{URL: unixPrefix + a.Addr, Scheme: "unix", Host: a.Addr}, err
	}
	if path, ok := strings.CutPrefix(s, unixH2Prefix); ok {
		a, err := parseUnix(path)
		return Target{URL: unixH2Prefix + a.Addr, Scheme: "unix", H2: true, Host: a.Addr}, err
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return Target{}, fmt.Errorf("missing scheme, want %s", guess(s))
	}
	scheme = strings.ToLower(scheme)
	kind, ok := schemes[scheme]
	if !ok {
		return Target{}, fmt.Errorf("scheme %q is not supported, want %s", scheme, otherScheme(scheme, rest))
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
	if kind.port == "" {
		return service(scheme, host, port)
	}
	if port == "" {
		port = kind.port
	}
	port, err = parsePort(port, 1)
	return Target{URL: scheme + "://" + authority, Scheme: kind.like, H2: kind.h2, Host: host, Port: port}, err
}

// otherScheme is what was meant by one that others have: nginx's of gRPC.
func otherScheme(scheme, rest string) string {
	switch scheme {
	case "grpc":
		return "h2c://" + rest
	case "grpcs":
		return "h2://" + rest
	}
	return wantScheme
}

// service is an upstream whose members are in SRV records.
func service(scheme, name, port string) (Target, error) {
	plain := strings.TrimPrefix(scheme, "srv+")
	if _, err := netip.ParseAddr(name); err == nil {
		if port == "" {
			port = schemes[plain].port
		}
		return Target{}, fmt.Errorf("an address has no SRV records, want a service's name, or %s://%s", plain, net.JoinHostPort(name, port))
	}
	if port != "" {
		return Target{}, fmt.Errorf("SRV records bring their own ports, want %s://%s, or %s://%s:%s", scheme, name, plain, name, port)
	}
	kind := schemes[scheme]
	return Target{URL: scheme + "://" + name, Scheme: kind.like, H2: kind.h2, Host: name}, nil
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
	if at < 0 || strings.HasPrefix(s, unixPrefix) || strings.HasPrefix(s, unixH2Prefix) {
		return s
	}
	scheme, _, ok := strings.Cut(s[:at], "://")
	if !ok {
		return "…" + s[at:]
	}
	return scheme + "://…" + s[at:]
}
