package part

import (
	"bytes"
	"strconv"

	"multiserver/proxy/wire"
)

// Read gives what is to be known of an answer that is stored with a body of
// that many bytes, borrowed from res. It fails for a 206 whose Content-Range
// is missing, several, malformed, or not as long as the body: no byte of it
// has a sure place. Neither has any of a multipart one.
func Read(res *wire.Response, body int64) (s Stored, ok bool) {
	s = Stored{
		ETag:         res.Peek("etag"),
		LastModified: res.Peek("last-modified"),
		Date:         res.Find(wire.Date),
		Length:       body,
	}
	if res.Status != 206 {
		return s, true
	}
	var l line
	for i := range res.Fields {
		if f := &res.Fields[i]; wire.EqualFold(res.Name(f), "content-range") {
			l.add(res.Value(f))
		}
	}
	s.Held, s.Length, ok = ParseContentRange(l.one())
	return s, ok && s.Held.Len() == body
}

// ParseContentRange reads "bytes a-b/n", the Content-Range of a 206 (RFC 9110
// §14.4). The length is -1 if it is "*". The "*/n" of a 416 is no span.
func ParseContentRange(v []byte) (span Span, length int64, ok bool) {
	const unit = "bytes "
	if len(v) < len(unit) || !wire.EqualFold(v[:5], unit[:5]) || v[5] != ' ' {
		return span, 0, false
	}
	v = v[len(unit):]
	dash, slash := bytes.IndexByte(v, '-'), bytes.IndexByte(v, '/')
	if dash < 0 || slash < dash {
		return span, 0, false
	}
	first, ok1 := exact(v[:dash])
	last, ok2 := exact(v[dash+1 : slash])
	length, ok3 := exact(v[slash+1:])
	if string(v[slash+1:]) == "*" {
		length, ok3 = -1, true
	}
	if !ok1 || !ok2 || !ok3 || last < first || length >= 0 && last >= length {
		return span, 0, false
	}
	return Span{first, last + 1}, length, true
}

// exact is number without the leniencies that only a request's range has.
func exact(b []byte) (n int64, ok bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	return number(b)
}

// AppendContentRange appends the value of a 206's or a part's Content-Range.
// The length is -1 if it is not known.
func AppendContentRange(dst []byte, span Span, length int64) []byte {
	dst = strconv.AppendInt(append(dst, "bytes "...), span.From, 10)
	dst = strconv.AppendInt(append(dst, '-'), span.To-1, 10)
	dst = append(dst, '/')
	if length < 0 {
		return append(dst, '*')
	}
	return strconv.AppendInt(dst, length, 10)
}

// AppendUnsatisfied appends the value of a 416's Content-Range.
func AppendUnsatisfied(dst []byte, length int64) []byte {
	return strconv.AppendInt(append(dst, "bytes */"...), length, 10)
}
