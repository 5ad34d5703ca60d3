package rule

import (
	"bytes"

	"multiserver/proxy/wire"
)

// maxNames bounds the work that Vary makes for each request. An answer that
// varies by more is not for sharing anyway.
const maxNames = 32

// AppendVary appends the names that the answer varies by: in lower case,
// sorted, each once, with commas between them; nothing where it does not vary.
// Not ok: it varies by more than a cache can know ("*"), or no one can say by
// what.
func AppendVary(dst []byte, res *wire.Response) (names []byte, ok bool) {
	at, total := len(dst), 0
	for i := range res.Fields {
		f := &res.Fields[i]
		if f.Colon-f.At != 4 || !wire.EqualFold(res.Name(f), "vary") {
			continue
		}
		n, ok := countNames(res.Value(f))
		if total += n; !ok || total > maxNames {
			return dst[:at], false
		}
		dst = insertAll(dst, at, res.Value(f))
	}
	return dst, true
}

// AppendNames is AppendVary for one list, such as the operator's.
func AppendNames(dst, list []byte) (names []byte, ok bool) {
	if n, ok := countNames(list); !ok || n > maxNames {
		return dst, false
	}
	return insertAll(dst, len(dst), list), true
}

// UnionVary appends the names in a or b, both as AppendVary gives them.
func UnionVary(dst, a, b []byte) []byte {
	at := len(dst)
	return insertAll(append(dst, a...), at, b)
}

// countNames counts the names in a list, and tells whether they are all names.
func countNames(list []byte) (n int, ok bool) {
	for len(list) > 0 {
		var name []byte
		name, list = cut(list)
		if len(name) == 0 {
			continue
		}
		if tokenLen(name) < len(name) || len(name) == 1 && name[0] == '*' || told(name) {
			return n, false
		}
		n++
	}
	return n, true
}

// told tells whether upstreams hear that field from us, each request something
// else, whatever the client has sent: so its own fields do not say what an
// answer varied by. (X-Forwarded-Host and -Proto are in every key.)
func told(name []byte) bool {
	switch len(name) {
	case 3:
		return equalFold(name, []byte("via"))
	case 9:
		return equalFold(name, []byte("forwarded"))
	case 12:
		return equalFold(name, []byte("x-request-id"))
	case 15:
		return equalFold(name, []byte("x-forwarded-for"))
	case 16:
		return equalFold(name, []byte("x-forwarded-port"))
	}
	return false
}

// insertAll inserts each name of list where it belongs in dst[at:].
func insertAll(dst []byte, at int, list []byte) []byte {
	for len(list) > 0 {
		var name []byte
		if name, list = cut(list); len(name) > 0 {
			dst = insert(dst, at, name)
		}
	}
	return dst
}

func insert(dst []byte, from int, name []byte) []byte {
	at := from
	for at < len(dst) {
		end := len(dst)
		if i := bytes.IndexByte(dst[at:], ','); i >= 0 {
			end = at + i
		}
		c := compareLower(name, dst[at:end])
		if c == 0 {
			return dst
		}
		if c < 0 {
			dst = open(dst, at, len(name)+1)
			appendLower(dst[:at], name)
			dst[at+len(name)] = ','
			return dst
		}
		at = min(end+1, len(dst))
	}
	if at > from {
		dst = append(dst, ',')
	}
	return appendLower(dst, name)
}

// open makes room for n bytes at dst[at:].
func open(dst []byte, at, n int) []byte {
	end := len(dst)
	for range n {
		dst = append(dst, 0)
	}
	copy(dst[at+n:], dst[at:end])
	return dst
}

// compareLower compares name, folded, with low, which is in lower case.
func compareLower(name, low []byte) int {
	for i := range min(len(name), len(low)) {
		if c := lower(name[i]); c != low[i] {
			return int(c) - int(low[i])
		}
	}
	return len(name) - len(low)
}

func appendLower(dst, name []byte) []byte {
	for _, c := range name {
		dst = append(dst, lower(c))
	}
	return dst
}
