package session

// field is one of the X-Session fields.
type field uint8

const (
	fieldNone  field = iota // not ours
	fieldOther              // ours, and nothing that we know
	fieldSet
	fieldRotate
	fieldDestroy
	fieldMaxAge
	fieldIfVersion
)

// after are the names behind X-Session- in lower case.
var after = []struct {
	name  string
	field field
}{
	{"set", fieldSet},
	{"rotate", fieldRotate},
	{"destroy", fieldDestroy},
	{"max-age", fieldMaxAge},
	{"if-version", fieldIfVersion},
}

const prefix = "x-session-"

// Reserved tells whether a field's name belongs to sessions, in any spelling
// that a backend might take for it: CGI and what follows it make - and _ one.
// Such fields of clients, trailers too, must not reach a backend on any route,
// nor those of backends a client.
func Reserved(name []byte) bool {
	return len(name) >= len(prefix) && folded(name[:len(prefix)], prefix)
}

// folded tells whether name is want, which is in lower case, but for case and
// for _ in place of -.
func folded(name []byte, want string) bool {
	if len(name) != len(want) {
		return false
	}
	for i, c := range name {
		switch {
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		case c == '_':
			c = '-'
		}
		if c != want[i] {
			return false
		}
	}
	return true
}

func fieldOf(name []byte) field {
	if len(name) == 0 || name[0]|0x20 != 'x' || !Reserved(name) { // fast path: most names begin otherwise
		return fieldNone
	}
	for i := range after {
		if folded(name[len(prefix):], after[i].name) {
			return after[i].field
		}
	}
	return fieldOther
}
