package edge

import "multiserver/proxy/wire"

// Header blocks of answers (RFC 7541). Nothing goes into the dynamic table, and
// no Huffman code is made: an encoder without a state needs no lock and no
// order among streams, and what fields cost beside their bodies is little.

// noTable makes the dynamic table empty, once, at the front of a connection's
// first block: then no setting of the client's can make it too large.
const noTable = 0x20

// appendStatus appends :status.
func appendStatus(dst []byte, status int) []byte {
	switch status {
	case 200:
		return append(dst, 0x80|8)
	case 204:
		return append(dst, 0x80|9)
	case 206:
		return append(dst, 0x80|10)
	case 304:
		return append(dst, 0x80|11)
	case 400:
		return append(dst, 0x80|12)
	case 404:
		return append(dst, 0x80|13)
	case 500:
		return append(dst, 0x80|14)
	}
	return append(dst, 8, 3, '0'+byte(status/100), '0'+byte(status/10%10), '0'+byte(status%10))
}

// appendPlain appends a field, its name in lower case.
func appendPlain(dst, name, value []byte) []byte {
	if i := staticName(name); i > 0 {
		dst = appendInt(dst, 0, 4, i)
	} else {
		dst = appendInt(append(dst, 0), 0, 7, len(name))
		for _, c := range name {
			if c >= 'A' && c <= 'Z' {
				c |= 0x20
			}
			dst = append(dst, c)
		}
	}
	return append(appendInt(dst, 0, 7, len(value)), value...)
}

// appendInt appends n with a prefix of that many bits (RFC 7541 §5.1).
func appendInt(dst []byte, first byte, bits uint8, n int) []byte {
	most := 1<<bits - 1
	if n < most {
		return append(dst, first|byte(n))
	}
	dst = append(dst, first|byte(most))
	for n -= most; n >= 0x80; n >>= 7 {
		dst = append(dst, byte(n)|0x80)
	}
	return append(dst, byte(n))
}

// staticName is the index of a name in the static table (RFC 7541 appendix A);
// 0: it has none.
func staticName(name []byte) int {
	if len(name) >= len(statics) {
		return 0
	}
	for i := range statics[len(name)] {
		if s := &statics[len(name)][i]; wire.EqualFold(name, s.lower) {
			return s.index
		}
	}
	return 0
}

type static struct {
	lower string
	index int
}

// statics are the names that answers have, by their length.
var statics = func() (t [28][]static) {
	for i, name := range []string{
		"accept-charset", "accept-encoding", "accept-language", "accept-ranges", "accept",
		"access-control-allow-origin", "age", "allow", "authorization", "cache-control",
		"content-disposition", "content-encoding", "content-language", "content-length",
		"content-location", "content-range", "content-type", "cookie", "date", "etag", "expect",
		"expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
		"if-unmodified-since", "last-modified", "link", "location", "max-forwards",
		"proxy-authenticate", "proxy-authorization", "range", "referer", "refresh", "retry-after",
		"server", "set-cookie", "strict-transport-security", "transfer-encoding", "user-agent",
		"vary", "via", "www-authenticate",
	} {
		t[len(name)] = append(t[len(name)], static{name, 15 + i})
	}
	return t
}()
