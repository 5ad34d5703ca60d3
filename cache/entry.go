package cache

import (
	"bytes"
	"encoding/binary"
	"strconv"

	"multiserver/cache/part"
	"multiserver/proxy/wire"
)

// A record is how the cache keeps what it knows about a key, the same bytes in
// both tiers: a header of fixed size, and behind it what it measures.
//
//	header | tags, 8 bytes each | reason | prior | fields | CRLF | body
//
// Fields are the lines sent to clients, Content-Length included, so that a hit
// copies nothing: a status line, Age and Cache-Status are written backwards
// into the room before them, over what only the cache reads.
const (
	atFormat = 0  // byte
	atKind   = 1  // byte
	atFlags  = 2  // uint16
	atStatus = 4  // uint16
	atReason = 6  // byte: length
	atBorn   = 8  // int64, Unix ms: when its age was 0
	atUntil  = 16 // int64, Unix ms: fresh up to then
	atWhile  = 24 // int64, Unix ms: usable up to then while it is refreshed
	atError  = 32 // int64, Unix ms: usable up to then if no upstream answers well
	atSeq    = 40 // uint64: the last purge before its fetch began
	atID     = 48 // uint64: names its chunks; of variants: their generation
	atLength = 56 // int64: of the body
	atFirst  = 64 // int64: of a part: its place in the whole
	atTotal  = 72 // int64: of a part: the length of the whole
	atFields = 80 // uint32: length
	atPrior  = 84 // uint16: length
	atETag   = 86 // uint16 offset into fields, uint16 length; and so on
	atLM     = 90
	atDate   = 94
	atType   = 98
	atTags   = 102 // uint16: number
	header   = 104
)

// format is bumped with any change of meaning; a record of another is none.
const format = 1

type kind byte

const (
	kindNone     kind = iota
	kindAnswer        // an answer
	kindVariants      // under the key itself, where answers vary: fields are the names they vary by
	kindPass          // remembers that answers here are not shared, up to atUntil
	kindPart          // a 206; prior is the Range it answered
)

type flags uint16

const (
	flagAlways   flags = 1 << iota // every use has to be validated
	flagStrict                     // never used stale
	flagChunks                     // the body lies in chunks
	flagMeasured                   // of a part: its length is what its Content-Range says
	flagEncoded                    // the body is compressed already
)

// Entry is a stored answer. It borrows the record it was read from.
type Entry struct {
	rec []byte
	at  int // where its fields begin
}

// open reads rec, and tells whether it is one of ours and whole.
func open(rec []byte) (Entry, bool) {
	if len(rec) < header || rec[atFormat] != format {
		return Entry{}, false
	}
	e := Entry{rec: rec}
	fields, prior := int(e.u32(atFields)), int(e.u16(atPrior))
	e.at = header + 8*int(e.u16(atTags)) + int(rec[atReason]) + prior
	if fields > len(rec) || e.at+fields+len(crlf) > len(rec) {
		return Entry{}, false
	}
	for _, at := range [...]int{atETag, atLM, atDate, atType} {
		if int(e.u16(at))+int(e.u16(at+2)) > fields {
			return Entry{}, false
		}
	}
	if e.kind() == kindAnswer || e.kind() == kindPart {
		inline := int64(len(rec) - e.at - fields - len(crlf))
		if e.Length() < 0 || !e.has(flagChunks) && inline != e.Length() {
			return Entry{}, false
		}
	}
	return e, true
}

func (e *Entry) u16(at int) uint16 { return le.Uint16(e.rec[at:]) }
func (e *Entry) u32(at int) uint32 { return le.Uint32(e.rec[at:]) }
func (e *Entry) i64(at int) int64  { return int64(le.Uint64(e.rec[at:])) }
func (e *Entry) seq() uint64       { return le.Uint64(e.rec[atSeq:]) }
func (e *Entry) id() uint64        { return le.Uint64(e.rec[atID:]) }
func (e *Entry) kind() kind        { return kind(e.rec[atKind]) }
func (e *Entry) has(f flags) bool  { return flags(e.u16(atFlags))&f != 0 }
func (e *Entry) set(at int, v int64) {
	le.PutUint64(e.rec[at:], uint64(v))
}

// There tells whether there is one.
func (e *Entry) There() bool { return e.rec != nil }

// Status is the answer's status code.
func (e *Entry) Status() int { return int(e.u16(atStatus)) }

// Length is how many bytes its body has.
func (e *Entry) Length() int64 { return e.i64(atLength) }

// Fields are the lines that go to clients, each with its CRLF.
func (e *Entry) Fields() []byte { return e.rec[e.at : e.at+int(e.u32(atFields))] }

// inline is the body if it lies in the record.
func (e *Entry) inline() []byte { return e.rec[e.at+int(e.u32(atFields))+len(crlf):] }

func (e *Entry) tags() []byte { return e.rec[header : header+8*int(e.u16(atTags))] }

func (e *Entry) reason() []byte {
	at := header + 8*int(e.u16(atTags))
	return e.rec[at : at+int(e.rec[atReason])]
}

// prior is the Cache-Status of caches behind us, as the beginning of a list;
// of a part, the Range that it answered.
func (e *Entry) prior() []byte { return e.rec[e.at-int(e.u16(atPrior)) : e.at] }

func (e *Entry) field(at int) []byte {
	from, n := e.at+int(e.u16(at)), int(e.u16(at+2))
	if n == 0 {
		return nil
	}
	return e.rec[from : from+n]
}

// ETag is the value of the field, nil if there is none.
func (e *Entry) ETag() []byte { return e.field(atETag) }

// LastModified is the value of the field.
func (e *Entry) LastModified() []byte { return e.field(atLM) }

// ContentType is the value of the field.
func (e *Entry) ContentType() []byte { return e.field(atType) }

// Stored is what conditions and ranges are judged by.
func (e *Entry) Stored() part.Stored {
	s := part.Stored{ETag: e.ETag(), LastModified: e.LastModified(), Date: e.field(atDate), Length: e.Length()}
	if e.kind() == kindPart {
		s.Length, s.Held = e.i64(atTotal), e.held()
	}
	return s
}

// validators tells whether an upstream can be asked whether it still holds.
func (e *Entry) validators() bool { return e.u16(atETag+2) > 0 || e.u16(atLM+2) > 0 }

// usable is up to when it may be of any use without asking an upstream.
func (e *Entry) usable() int64 { return max(e.i64(atUntil), e.i64(atWhile), e.i64(atError)) }

// terms are what a record says besides its fields and its body.
type terms struct {
	kind                      kind
	flags                     flags
	status                    int
	born, until, while, error int64
	seq, id                   uint64
	first, total              int64
	tags, reason, prior       []byte
}

// appendRecord appends a record up to its fields, which the caller appends
// before it seals the record.
func appendRecord(dst []byte, t *terms) []byte {
	at := len(dst)
	reason, prior := t.reason[:min(len(t.reason), 64)], t.prior
	if len(prior) > maxPrior {
		prior = nil
	}
	dst = append(dst, zeroes[:]...)
	b := dst[at:]
	b[atFormat], b[atKind], b[atReason] = format, byte(t.kind), byte(len(reason))
	le.PutUint16(b[atTags:], uint16(len(t.tags)/8))
	le.PutUint16(b[atFlags:], uint16(t.flags))
	le.PutUint16(b[atStatus:], uint16(t.status))
	le.PutUint16(b[atPrior:], uint16(len(prior)))
	for _, f := range [...]struct {
		at int
		v  int64
	}{{atBorn, t.born}, {atUntil, t.until}, {atWhile, t.while}, {atError, t.error}, {atSeq, int64(t.seq)}, {atID, int64(t.id)},
		{atFirst, t.first}, {atTotal, t.total}} {
		le.PutUint64(b[f.at:], uint64(f.v))
	}
	dst = append(dst, t.tags...)
	dst = append(dst, reason...)
	return append(dst, prior...)
}

var zeroes [header]byte

// maxPrior bounds what other caches said in Cache-Status.
const maxPrior = 256

// seal ends the fields of a record, which begin at rec[at:], with
// Content-Length and the empty line, and notes where those stand that are
// asked for often.
func seal(rec []byte, at int, length int64) []byte {
	if status := le.Uint16(rec[atStatus:]); status != 204 && status != 0 {
		rec = append(strconv.AppendInt(append(rec, "Content-Length: "...), length, 10), crlf...)
	}
	le.PutUint32(rec[atFields:], uint32(len(rec)-at))
	le.PutUint64(rec[atLength:], uint64(length))
	for from := at; from < len(rec); {
		end := from + bytes.IndexByte(rec[from:], '\n') + 1
		noteField(rec, at, from, end-len(crlf))
		from = end
	}
	return append(rec, crlf...)
}

var noted = [...]struct {
	lower string
	at    int
}{{"etag", atETag}, {"last-modified", atLM}, {"date", atDate}, {"content-type", atType}}

func noteField(rec []byte, at, from, end int) {
	line := rec[from:end]
	colon := bytes.IndexByte(line, ':')
	for _, n := range noted {
		if colon != len(n.lower) || !wire.EqualFold(line[:colon], n.lower) || le.Uint16(rec[n.at+2:]) != 0 {
			continue
		}
		value := bytes.Trim(line[colon+1:], " \t")
		if len(value) == 0 {
			return
		}
		start := end - len(line[colon+1:]) + bytes.Index(line[colon+1:], value)
		le.PutUint16(rec[n.at:], uint16(start-at))
		le.PutUint16(rec[n.at+2:], uint16(len(value)))
	}
}

// setFlag adds a flag to a record under way.
func setFlag(rec []byte, f flags) { le.PutUint16(rec[atFlags:], le.Uint16(rec[atFlags:])|uint16(f)) }

var (
	le   = binary.LittleEndian
	crlf = []byte("\r\n")
)
