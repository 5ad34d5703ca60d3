package key

import "bytes"

// Resolve appends the key that a reference, the value of a Location or
// Content-Location field, means in the answer to the request with the key
// base, and tells whether it is of the same origin. Only then is anything
// appended: nobody may speak for another origin's answers (RFC 9111 §4.4).
// base must not be a part of dst that is written.
//
// Whatever two readers could take for two hosts is of no origin: user
// information, backslashes, white space, controls, bytes beyond ASCII.
func (r *Rules) Resolve(dst, base, ref []byte) (key []byte, same bool) {
	origin, path, ok := split(base)
	if !ok {
		return dst, false
	}
	if i := bytes.IndexByte(ref, '#'); i >= 0 {
		ref = ref[:i]
	}
	if path, ref, ok = local(origin, path, ref); !ok {
		return dst, false
	}
	dst = append(dst, origin...)
	if len(ref) == 0 {
		return append(dst, path...), true // has gone through the rules
	}
	at := len(dst)
	path, _ = cutQuery(path)
	ref, query := cutQuery(ref)
	switch {
	case len(ref) == 0:
		return r.appendTarget(append(dst, path...), query), true
	case ref[0] != '/': // RFC 3986 §5.2.3
		dst = append(dst, path[:bytes.LastIndexByte(path, '/')+1]...)
	}
	dst = append(dst, ref...)
	dst = dst[:at+removeDots(dst[at:])]
	return r.appendTarget(dst, query), true
}

// split cuts a key before its path. It refuses what Append would not make of
// a request that has an origin and a path.
func split(key []byte) (origin, path []byte, ok bool) {
	at := len("http://")
	if bytes.HasPrefix(key, []byte("https://")) {
		at = len("https://")
	} else if !bytes.HasPrefix(key, []byte("http://")) {
		return nil, nil, false
	}
	end := bytes.IndexByte(key[at:], '/')
	if end < 0 || !authority(key[at:at+end]) {
		return nil, nil, false
	}
	return key[:at+end], key[at+end:], true
}

// local gives what is left of a reference behind its origin, and the path
// that it is relative to: base's, or "/" if there was an origin. It fails if
// that is not base's.
func local(origin, base, ref []byte) (path, rest []byte, ok bool) {
	for _, c := range ref {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return nil, nil, false
		}
	}
	secure := origin[4] == 's'
	if i := bytes.IndexAny(ref, ":/?"); i >= 0 && ref[i] == ':' {
		secure = equalFold(ref[:i], "https")
		if !secure && !equalFold(ref[:i], "http") || !bytes.HasPrefix(ref[i+1:], slashes) {
			return nil, nil, false // "mailto:x"; "http:x", which browsers take for a host
		}
		ref = ref[i+1:]
	}
	if !bytes.HasPrefix(ref, slashes) {
		return base, ref, true
	}
	ref = ref[2:]
	end := bytes.IndexAny(ref, "/?")
	if end < 0 {
		end = len(ref)
	}
	host := ref[:end]
	return slash, ref[end:], authority(host) && bytes.Equal(appendOrigin(nil, secure, host), origin)
}

var slashes = []byte("//")

// cutQuery cuts a target before its "?".
func cutQuery(target []byte) (path, query []byte) {
	if i := bytes.IndexByte(target, '?'); i >= 0 {
		return target[:i], target[i:]
	}
	return target, nil
}
