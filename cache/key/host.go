package key

import (
	"bytes"
	"strings"
)

// appendOrigin appends scheme, host and port in the one spelling that all keys
// have. The host is wire's: checked, possibly with a port, nil under HTTP/1.0.
//
// Fast path: most hosts are in lower case and without a port already, but the
// copy looks at each byte anyway.
func appendOrigin(dst []byte, secure bool, host []byte) []byte {
	usual := "80"
	if secure {
		dst = append(dst, "https://"...)
		usual = "443"
	} else {
		dst = append(dst, "http://"...)
	}
	name, port := splitPort(host)
	dst = appendLower(dst, trimDot(name))
	if len(port) > 0 && string(port) != usual {
		dst = append(append(dst, ':'), port...)
	}
	return dst
}

// splitPort cuts a host before its port, which it gives without leading zeros;
// an empty port is none (RFC 3986 §6.2.3).
func splitPort(host []byte) (name, port []byte) {
	i := bytes.LastIndexByte(host, ':')
	if i < 0 || bytes.IndexByte(host[i:], ']') >= 0 {
		return host, nil
	}
	name, port = host[:i], host[i+1:]
	for len(port) > 1 && port[0] == '0' {
		port = port[1:]
	}
	return name, port
}

// trimDot removes the dot of a fully qualified name: the same host for DNS, so
// it must not be a second key for the same thing.
func trimDot(name []byte) []byte {
	if n := len(name); n > 1 && name[n-1] == '.' {
		return name[:n-1]
	}
	return name
}

func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, lower(c))
	}
	return dst
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// authority tells whether h is a host with an optional port as references
// have it: no user information, nothing that one reader takes for the end of
// the host and another does not.
func authority(h []byte) bool {
	name, port := splitPort(h)
	for _, c := range port {
		if c < '0' || c > '9' {
			return false
		}
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("@\\/?#", c) >= 0 {
			return false
		}
	}
	return len(name) > 0 && len(port) <= 5
}
