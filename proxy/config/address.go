package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	unixPrefix = "unix:"
	namePrefix = "fd:"

	// maxUnixPath is what a kernel's sockaddr_un holds, less its final NUL.
	// Beyond it the kernel says "invalid argument", which helps nobody.
	maxUnixPath = 107
)

// acceptProxy is HAProxy's word for it, as its users know it.
const acceptProxy = "accept-proxy"

// String writes the address as an operator would.
func (a Address) String() string {
	s := a.Addr
	switch a.Network {
	case "unix":
		s = unixPrefix + s
	case "fd":
		s = namePrefix + s
	}
	if a.Proxied {
		s += ";" + acceptProxy
	}
	return s
}

// same tells whether both are one place, whatever is expected there.
func (a Address) same(o Address) bool { return a.Network == o.Network && a.Addr == o.Addr }

var listens = value{
	read: func(c *Config, w string) error {
		if w == none {
			return nil
		}
		return listen(&c.Listen, w)
	},
	show: func(c *Config) []string { return orWord(showAddresses(c.Listen), none) },
}

// listen reads ADDR[;accept-proxy].
func listen(on *[]Address, w string) error {
	place, option, hasOption := strings.Cut(w, ";")
	a, err := parsePlace(place)
	if err != nil {
		return err
	}
	if a.Proxied = hasOption; hasOption && option != acceptProxy {
		return fmt.Errorf("unknown option %q, want ;%s", ";"+option, acceptProxy)
	}
	if slices.ContainsFunc(*on, a.same) && !a.anyPort() {
		return errors.New("given twice, want it once")
	}
	*on = append(*on, a)
	return nil
}

func showAddresses(all []Address) (words []string) {
	for _, a := range all {
		words = append(words, a.String())
	}
	return words
}

// anyPort: does the kernel choose the port, another one each time?
func (a Address) anyPort() bool { return a.Network == "tcp" && strings.HasSuffix(a.Addr, ":0") }

// parsePlace reads an address to listen on, or the name of a socket that a
// service manager opens.
func parsePlace(s string) (Address, error) {
	name, ok := strings.CutPrefix(s, namePrefix)
	switch {
	case !ok:
		return parseAddress(s)
	case name == "" || strings.ContainsAny(name, " :"):
		return Address{}, errors.New("want fd: and the FileDescriptorName of a socket, such as fd:web")
	}
	return Address{Network: "fd", Addr: name}, nil
}

// parseAddress reads an address.
func parseAddress(s string) (Address, error) {
	if path, ok := strings.CutPrefix(s, unixPrefix); ok {
		return parseUnix(path)
	}
	if strings.Contains(s, "://") {
		return Address{}, errors.New("an address has no scheme, want host:port, such as 127.0.0.1:8080 or :8080")
	}
	if _, err := strconv.Atoi(s); err == nil {
		return Address{}, fmt.Errorf("missing colon, want :%s", s)
	}
	host, port, err := splitHostPort(s)
	if err != nil {
		return Address{}, err
	}
	if port == "" {
		return Address{}, fmt.Errorf("missing port, want %s", net.JoinHostPort(host, "8080"))
	}
	if host == "*" {
		return Address{}, fmt.Errorf("* is not an address, want :%s for all of this machine's", port)
	}
	if err := checkHost(host, true); err != nil {
		return Address{}, err
	}
	n, err := parsePort(port, 0)
	if err != nil {
		return Address{}, err
	}
	return Address{Network: "tcp", Addr: net.JoinHostPort(host, n)}, nil
}

// parseUnix takes /path, ///path as URLs have it, and @name for Linux's
// sockets that have no file.
func parseUnix(path string) (Address, error) {
	if path == "" {
		return Address{}, errors.New("missing path, want unix:/run/app.sock")
	}
	if len(path) > maxUnixPath {
		return Address{}, fmt.Errorf("path of %d bytes, a socket's has at most %d", len(path), maxUnixPath)
	}
	if path[0] != '@' {
		path = filepath.Clean(path)
	}
	return Address{Network: "unix", Addr: path}, nil
}

// splitHostPort splits host, host:port, [v6] and [v6]:port; what is not there
// is empty.
func splitHostPort(s string) (host, port string, err error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() {
		return "", "", fmt.Errorf("an IPv6 address needs brackets, want [%s]:8080", s)
	}
	if rest, ok := strings.CutPrefix(s, "["); ok {
		host, rest, ok = strings.Cut(rest, "]")
		if a, err := netip.ParseAddr(host); !ok || err != nil || !a.Is6() {
			return "", "", errors.New("not an IPv6 address in brackets, want one such as [::1]:8080")
		}
		port, ok = strings.CutPrefix(rest, ":")
		if rest != "" && (!ok || port == "") {
			return "", "", fmt.Errorf("stray %q after the bracket, want [%s]:8080", rest, host)
		}
		return host, port, nil
	}
	host, port, ok := strings.Cut(s, ":")
	if strings.Contains(port, ":") {
		return "", "", errors.New("too many colons, want host:port, or [address]:port for IPv6")
	}
	if ok && port == "" {
		return "", "", fmt.Errorf("missing port after the colon, want %s:8080", host)
	}
	return host, port, nil
}

// parsePort gives the number without leading zeros.
func parsePort(s string, least int) (string, error) {
	for _, b := range []byte(s) {
		if b < '0' || b > '9' {
			return "", fmt.Errorf("port %q is not a number", s)
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > 65535 {
		return "", fmt.Errorf("port %s is out of range, want %d to 65535", s, least)
	}
	return strconv.Itoa(n), nil
}

// checkHost takes IP addresses and names as DNS and container networks have
// them (with underscores); mayBeEmpty for "all of this machine's addresses".
func checkHost(host string, mayBeEmpty bool) error {
	if host == "" {
		if mayBeEmpty {
			return nil
		}
		return errors.New("missing host, want one such as 127.0.0.1")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	if strings.Trim(host, "0123456789.") == "" {
		return fmt.Errorf("%s is not an IP address", host)
	}
	name := strings.TrimSuffix(host, ".")
	if len(name) > 253 {
		return fmt.Errorf("a host name of %d bytes, DNS has at most 253", len(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	return nil
}

func checkLabel(label string) error {
	if label == "" {
		return errors.New("a host name with nothing between two dots")
	}
	if len(label) > 63 {
		return fmt.Errorf("a host name's part of %d bytes, DNS has at most 63", len(label))
	}
	for _, r := range label {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
		case r > 127:
			return fmt.Errorf("%q in the host name, want the name's ASCII form (xn--…)", r)
		default:
			return fmt.Errorf("%q is not allowed in a host name", r)
		}
	}
	return nil
}
