package proxy

import (
	"bytes"

	"multiserver/proxy/wire"
)

// Edits are what a head gets otherwise than it came: fields that are dropped,
// and lines behind all others. They are made once for an exchange and applied
// to each head that is sent for it. The zero value changes nothing.
type Edits struct {
	drop []string // in lower case; one that ends in "*" is a prefix
	add  []byte   // whole lines
}

// Drop takes out each field of that name, which is in lower case, also one that
// was added before. Behind a prefix, "*" stands for any rest: "x-internal-*";
// that takes nothing of what says where a message goes and ends.
func (e *Edits) Drop(name string) {
	e.drop = append(e.drop, name)
	for at := 0; at < len(e.add); {
		next := at + bytes.Index(e.add[at:], crlf) + len(crlf)
		if drops(e.add[at:next], name) {
			e.add = append(e.add[:at], e.add[next:]...)
		} else {
			at = next
		}
	}
}

// Add appends a field, which is valid as it stands: no CR or LF in it.
func (e *Edits) Add(name string, value []byte) {
	e.add = append(append(e.add, name...), ": "...)
	e.add = append(append(e.add, value...), crlf...)
}

// AddLines appends whole lines, each with its CRLF.
func (e *Edits) AddLines(lines []byte) { e.add = append(e.add, lines...) }

// Begin, Value and End append a field whose value is worked out where it is to
// be: Begin its name, Value is what to append to, End takes that.
func (e *Edits) Begin(name string) { e.add = append(append(e.add, name...), ": "...) }
func (e *Edits) Value() []byte     { return e.add }
func (e *Edits) End(dst []byte)    { e.add = append(dst, crlf...) }

// put takes what was appended to Value, whole lines.
func (e *Edits) put(lines []byte) { e.add = lines }

// Set puts a field in the place of all of its name, which is in lower case.
func (e *Edits) Set(name string, value []byte) {
	e.Drop(name)
	e.Add(name, value)
}

// any tells whether there is anything to do.
func (e *Edits) any() bool { return len(e.drop)+len(e.add) > 0 }

func (e *Edits) reset() { e.drop, e.add = e.drop[:0], e.add[:0] }

// copy makes e the same as o.
func (e *Edits) copy(o *Edits) {
	e.drop, e.add = append(e.drop[:0], o.drop...), append(e.add[:0], o.add...)
}

// append appends a message's front, which begins with a whole head, as it is to
// be: the lines that stay, the new ones, and all that is behind the head.
func (e *Edits) append(dst, front []byte) []byte {
	end := bytes.Index(front, headEnd) + len(crlf)
	line := bytes.Index(front, crlf) + len(crlf)
	dst = append(dst, front[:line]...)
	for line < end {
		next := line + bytes.Index(front[line:], crlf) + len(crlf)
		if !e.drops(front[line:next]) {
			dst = append(dst, front[line:next]...)
		}
		line = next
	}
	return append(append(dst, e.add...), front[end:]...)
}

var headEnd = []byte("\r\n\r\n")

func (e *Edits) drops(line []byte) bool {
	for _, name := range e.drop {
		if drops(line, name) {
			return true
		}
	}
	return false
}

func drops(line []byte, name string) bool {
	of := line[:max(bytes.IndexByte(line, ':'), 0)]
	n := len(name) - 1
	if n < 0 || name[n] != '*' {
		return wire.EqualFold(of, name)
	}
	return len(of) >= n && wire.EqualFold(of[:n], name[:n]) && !delimits(wire.KindOf(of))
}

// delimits tells whether a field says where its message goes or ends: without it
// the peer would read another one.
func delimits(k wire.Kind) bool {
	return k == wire.Host || k == wire.ContentLength || k == wire.Expect || k.Hop()
}
