package wire

// Field is one header line, as offsets into the head it stands in.
type Field struct {
	At, Colon, From, To, End int32 // name is [At:Colon], value [From:To], line [At:End] with its CRLF
	Kind                     Kind
}

// maxFields bounds the work a head can cause; nginx and HAProxy stop near 100.
const maxFields = 512

// Head is what requests and answers have in common: the fields, and what they
// say about framing and about this connection.
type Head struct {
	Raw    []byte // the whole head with its empty line; borrowed from the connection
	Fields []Field

	Minor   byte  // HTTP/1.Minor
	Length  int64 // Content-Length; -1: none
	Chunked bool
	HasDate bool

	Close     bool // Connection: close
	KeepAlive bool // Connection: keep-alive
	Upgrade   bool // Connection: upgrade, and there is an Upgrade field
	Trailers  bool // TE: trailers
	Nominates bool // Connection names fields beyond those every proxy knows

	Asserts bool // some field is Asserted

	seen uint64 // a bit for each Kind

	lengths, codings, hosts, upgrades uint8
	connUpgrade                       bool
}

func (h *Head) reset() {
	*h = Head{Fields: h.Fields[:0], Length: -1}
}

// Has tells whether there is a field of kind k.
func (h *Head) Has(k Kind) bool { return h.seen&(1<<k) != 0 }

// HasAny tells whether there is a field of one of the kinds in the set.
func (h *Head) HasAny(set Kinds) bool { return h.seen&uint64(set) != 0 }

// Note has the head be as if there were a field of kind k.
func (h *Head) Note(k Kind) { h.seen |= 1 << k }

// Conceal makes the fields of kind k such that concern this connection only:
// nobody passes them on or keeps them.
func (h *Head) Conceal(k Kind) {
	if !h.Has(k) {
		return // fast path
	}
	h.seen &^= 1 << k
	for i := range h.Fields {
		if h.Fields[i].Kind == k {
			h.Fields[i].Kind = Proxy
		}
	}
}

// Name and Value are borrowed from Raw.
func (h *Head) Name(f *Field) []byte { return h.Raw[f.At:f.Colon] }

// Value is the field's value without the white space around it.
func (h *Head) Value(f *Field) []byte { return h.Raw[f.From:f.To] }

// Find returns the value of the first field of kind k, or nil.
func (h *Head) Find(k Kind) []byte {
	for i := range h.Fields {
		if h.Fields[i].Kind == k {
			return h.Value(&h.Fields[i])
		}
	}
	return nil
}

// Peek returns the value of the first field with that name, given in lower
// case, or nil.
func (h *Head) Peek(lower string) []byte {
	for i := range h.Fields {
		if EqualFold(h.Name(&h.Fields[i]), lower) {
			return h.Value(&h.Fields[i])
		}
	}
	return nil
}

// fields parses the lines from b[i:] to the empty one and returns where the
// head ends. Raw must be b.
func (h *Head) fields(b []byte, i int) (int, error) {
	for {
		at := i
		i = scan(b, i, isToken)
		if i == len(b) {
			return 0, ErrMore
		}
		if b[i] != ':' || i == at {
			if i == at && b[i] == '\r' {
				return lineEnd(b, i)
			}
			return 0, notName(b, at, i)
		}
		f := Field{At: int32(at), Colon: int32(i)}
		for i++; i < len(b) && (b[i] == ' ' || b[i] == '\t'); i++ {
		}
		f.From = int32(i)
		i = scanText(b, i)
		if i == len(b) {
			return 0, ErrMore
		}
		f.To = int32(i)
		for f.To > f.From && (b[f.To-1] == ' ' || b[f.To-1] == '\t') {
			f.To--
		}
		if b[i] != '\r' && b[i] != '\n' {
			return 0, badValue
		}
		end, err := lineEnd(b, i)
		if err != nil {
			return 0, err
		}
		i, f.End = end, int32(end)
		if f.Kind = kindOf(b[at:f.Colon]); f.Kind != Other {
			h.seen |= 1 << f.Kind
			if err := h.note(b, &f); err != nil {
				return 0, err
			}
		}
		if len(h.Fields) == maxFields {
			return 0, manyFields
		}
		h.Fields = append(h.Fields, f)
	}
}

// lineEnd wants CRLF at b[i].
func lineEnd(b []byte, i int) (int, error) {
	if b[i] != '\r' {
		return 0, badNewline
	}
	if i+1 == len(b) {
		return 0, ErrMore
	}
	if b[i+1] != '\n' {
		return 0, badNewline
	}
	return i + 2, nil
}

// notName says what is wrong with a line whose name ends at i.
func notName(b []byte, at, i int) error {
	switch {
	case i == at && (b[i] == ' ' || b[i] == '\t'):
		return badFold
	case b[i] == '\n' || b[i] == '\r':
		if i > at {
			return badName // a line without a colon
		}
		return badNewline
	}
	return badName
}

// parseLength reads 1*DIGIT that fits an int64 (RFC 9110 §8.6); no sign, no
// list, no white space.
func parseLength(v []byte) (n int64, ok bool) {
	if len(v) == 0 || len(v) > 18 {
		return parseLong(v)
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// parseLong is parseLength for more digits than always fit.
func parseLong(v []byte) (n int64, ok bool) {
	for _, c := range v {
		d := int64(c - '0')
		if c < '0' || c > '9' || n > (1<<63-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(v) > 0
}
