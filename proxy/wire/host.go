package wire

import (
	"bytes"
	"net/netip"
)

// validHost tells whether h is a host with an optional port (RFC 9110 §7.2):
// no user information, no white space, no empty name. Of RFC 3986's reg-name
// the sub-delims are refused: no host is called so, and a "," or ";" here is
// an attempt to be read as two.
func validHost(h []byte) bool {
	if len(h) == 0 || len(h) > 255+6 {
		return false
	}
	if h[0] == '[' {
		return validIPv6(h)
	}
	i := scan(h, 0, isHost)
	for i < len(h) && h[i] == '%' {
		if len(h) < i+3 || class[h[i+1]]&class[h[i+2]]&isHex == 0 {
			return false
		}
		i = scan(h, i+3, isHost)
	}
	return i > 0 && validPort(h[i:])
}

// validPort takes "", ":" and ":" with a number up to 65535.
func validPort(p []byte) bool {
	if len(p) <= 1 {
		return len(p) == 0 || p[0] == ':'
	}
	n, ok := parseLength(p[1:])
	return p[0] == ':' && ok && len(p) <= 6 && n <= 65535
}

func validIPv6(h []byte) bool {
	end := bytes.IndexByte(h, ']')
	if end < 0 || !validPort(h[end+1:]) {
		return false
	}
	for _, c := range h[1:end] {
		if class[c]&isHex == 0 && c != ':' && c != '.' {
			return false // a zone, or nonsense; also keeps the string below small
		}
	}
	ip, err := netip.ParseAddr(string(h[1:end]))
	return err == nil && ip.Is6()
}
