package key

import (
	"bytes"
	"sync"
)

// readings holds buffers for paths that have to be read twice; a pattern's
// regular expression makes what it is given escape to the heap.
var readings = sync.Pool{New: func() any { return new([]byte) }}

// plain tells whether a path has no other reading: nothing encoded, no dot
// segments, no empty ones, no backslashes.
func plain(path []byte) bool {
	for i, c := range path {
		if c == '%' || c == '\\' || c == '/' && i+1 < len(path) && (path[i+1] == '/' || path[i+1] == '.') {
			return false
		}
	}
	return true
}

// appendPlain appends the path as the most obliging of origins reads it:
// decoded once, backslashes taken for slashes, several slashes for one, dot
// segments removed.
func appendPlain(dst, path []byte) []byte {
	at := len(dst)
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if hi, lo := hex(path[i+1]), hex(path[i+2]); hi < 16 && lo < 16 {
				c = hi<<4 | lo
				i += 2
			}
		}
		if c == '\\' {
			c = '/'
		}
		if c == '/' && len(dst) > at && dst[len(dst)-1] == '/' {
			continue
		}
		dst = append(dst, c)
	}
	return dst[:at+removeDots(dst[at:])]
}

// hex gives the value of a hexadecimal digit, 16 for any other byte.
func hex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 16
}

// removeDots removes the segments "." and ".." from a path in place and
// returns how long it is then (RFC 3986 §5.2.4). The path begins with "/", and
// still does.
func removeDots(path []byte) int {
	w := 0
	for r := 0; r < len(path); {
		end := len(path)
		if i := bytes.IndexByte(path[r+1:], '/'); i >= 0 {
			end = r + 1 + i
		}
		switch last := end == len(path); string(path[r+1 : end]) {
		case ".":
			w = closing(path, w, last)
		case "..":
			w = closing(path, max(bytes.LastIndexByte(path[:w], '/'), 0), last)
		default:
			w += copy(path[w:], path[r:end])
		}
		r = end
	}
	return w
}

// closing keeps the slash that a dot segment at the end leaves.
func closing(path []byte, w int, last bool) int {
	if last {
		path[w] = '/'
		w++
	}
	return w
}
