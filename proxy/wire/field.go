package wire

// Field is one header line, as offsets into the head it stands in.
type Field struct {
	At, Colon, From, To, End int32 // name is [At:Colon], value [From:To], line [At:End] with its CRLF
	Kind                     Kind
}

// Kind tells the fields that a proxy must know apart from all others.
type Kind uint8

// The kinds. Those from Connection to Proxy concern one connection only (RFC
// 9110 §7.6.1, and what is treated so by custom) and are never passed on as
// they came.
const (
	Other Kind = iota
	Host
	ContentLength
	Expect
	Date
	Via
	MaxForwards
	RequestID
	Guarded // end to end whatever Connection says: credentials, cookies, …

	Forwarded
	ForwardedFor   // X-Forwarded-For
	ForwardedHost  // X-Forwarded-Host
	ForwardedProto // X-Forwarded-Proto
	ForwardedPort  // X-Forwarded-Port
	ForwardedMore  // any other X-Forwarded-*, X-Real-IP, and spellings with "_" that CGI folds into the same names

	Connection
	TransferEncoding
	KeepAlive
	ProxyConnection
	ProxyAuth // Proxy-Authenticate, Proxy-Authorization, Proxy-Authentication-Info
	TE
	Trailer
	Upgrade
	HTTP2Settings
	Proxy // becomes HTTP_PROXY under CGI ("httpoxy")
)

// Hop tells whether the field concerns this connection only.
func (k Kind) Hop() bool { return k >= Connection }

// Asserted tells whether the field says who the client is or what it asked
// for, which only a trusted peer may.
func (k Kind) Asserted() bool { return k >= Forwarded && k <= ForwardedMore }

// kindOf names the kind of a field by its name, a token of at least one byte.
func kindOf(name []byte) Kind {
	switch len(name) {
	case 2:
		return match(name, "te", TE)
	case 3:
		return match(name, "via", Via)
	case 4:
		if k := match(name, "host", Host); k != Other {
			return k
		}
		return match(name, "date", Date)
	case 5:
		return match(name, "proxy", Proxy)
	case 6:
		if k := match(name, "expect", Expect); k != Other {
			return k
		}
		return match(name, "cookie", Guarded)
	case 7:
		if k := match(name, "upgrade", Upgrade); k != Other {
			return k
		}
		return match(name, "trailer", Trailer)
	case 9:
		if k := match(name, "forwarded", Forwarded); k != Other {
			return k
		}
		return identity(name)
	case 10:
		switch name[0] | 0x20 {
		case 'c':
			return match(name, "connection", Connection)
		case 'k':
			return match(name, "keep-alive", KeepAlive)
		}
		return match(name, "set-cookie", Guarded)
	case 12:
		if k := match(name, "max-forwards", MaxForwards); k != Other {
			return k
		}
		if k := match(name, "content-type", Guarded); k != Other {
			return k
		}
		return match(name, "x-request-id", RequestID)
	case 13:
		if k := match(name, "authorization", Guarded); k != Other {
			return k
		}
		return match(name, "cache-control", Guarded)
	case 14:
		if k := match(name, "content-length", ContentLength); k != Other {
			return k
		}
		return match(name, "http2-settings", HTTP2Settings)
	case 16:
		if k := match(name, "proxy-connection", ProxyConnection); k != Other {
			return k
		}
		if k := match(name, "content-encoding", Guarded); k != Other {
			return k
		}
	case 17:
		if k := match(name, "transfer-encoding", TransferEncoding); k != Other {
			return k
		}
	case 18:
		if k := match(name, "proxy-authenticate", ProxyAuth); k != Other {
			return k
		}
	case 19:
		if k := match(name, "proxy-authorization", ProxyAuth); k != Other {
			return k
		}
	case 25:
		if k := match(name, "proxy-authentication-info", ProxyAuth); k != Other {
			return k
		}
	}
	return identity(name)
}

func match(name []byte, lower string, k Kind) Kind {
	if EqualFold(name, lower) {
		return k
	}
	return Other
}

// identity finds X-Forwarded-* and X-Real-IP. "_" counts as "-", since CGI and
// WSGI fold both into HTTP_X_FORWARDED_FOR, but only the true spelling is a
// name that we read or write; the others are ForwardedMore, and dropped.
func identity(name []byte) Kind {
	const prefix = "x-forwarded-"
	if len(name) < len("x-real-ip") || name[0]|0x20 != 'x' {
		return Other
	}
	if len(name) == len("x-real-ip") {
		if foldsTo(name, "x-real-ip") {
			return ForwardedMore
		}
		return Other
	}
	if len(name) <= len(prefix) || !foldsTo(name[:len(prefix)], prefix) {
		return Other
	}
	switch {
	case EqualFold(name, "x-forwarded-for"):
		return ForwardedFor
	case EqualFold(name, "x-forwarded-host"):
		return ForwardedHost
	case EqualFold(name, "x-forwarded-proto"):
		return ForwardedProto
	case EqualFold(name, "x-forwarded-port"):
		return ForwardedPort
	}
	return ForwardedMore
}

func foldsTo(name []byte, lower string) bool {
	for i := range len(lower) {
		c := name[i] | 0x20
		if name[i] == '_' {
			c = '-'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
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

	lengths, codings, hosts, upgrades uint8
	connUpgrade                       bool
}

func (h *Head) reset() {
	*h = Head{Fields: h.Fields[:0], Length: -1}
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

// note keeps what a field says about framing and the connection.
func (h *Head) note(b []byte, f *Field) error {
	v := b[f.From:f.To]
	switch f.Kind {
	case ContentLength:
		n, ok := parseLength(v)
		if !ok {
			return badLength
		}
		if h.lengths > 0 && n != h.Length {
			return badLengths
		}
		h.lengths = min(h.lengths+1, 2)
		h.Length = n
	case TransferEncoding:
		if h.codings > 0 || !EqualFold(v, "chunked") {
			return badCoding
		}
		h.codings++
		h.Chunked = true
	case Host:
		h.hosts = min(h.hosts+1, 2)
	case Date:
		h.HasDate = true
	case Connection:
		h.connection(v)
	case Upgrade:
		h.upgrades = min(h.upgrades+1, 2)
	case TE:
		Members(v, func(m []byte) { h.Trailers = h.Trailers || EqualFold(m, "trailers") })
	}
	h.Asserts = h.Asserts || f.Kind.Asserted()
	return nil
}

func (h *Head) connection(v []byte) {
	switch { // fast path: what nearly all clients and servers send
	case EqualFold(v, "keep-alive"):
		h.KeepAlive = true
		return
	case EqualFold(v, "close"):
		h.Close = true
		return
	}
	Members(v, func(m []byte) {
		switch {
		case EqualFold(m, "close"):
			h.Close = true
		case EqualFold(m, "keep-alive"):
			h.KeepAlive = true
		case EqualFold(m, "upgrade"):
			h.connUpgrade = true
		default:
			h.Nominates = h.Nominates || kindOf(m) == Other
		}
	})
}

// Nominated tells whether some Connection line names the field, which then
// goes no further (RFC 9110 §7.6.1). Only fields of kind Other can be named
// away: the rest are dropped anyway or, like Host and Cookie, must not be.
func (h *Head) Nominated(name []byte) bool {
	if !h.Nominates {
		return false
	}
	found := false
	for i := range h.Fields {
		if h.Fields[i].Kind == Connection {
			Members(h.Value(&h.Fields[i]), func(m []byte) { found = found || equalNames(m, name) })
		}
	}
	return found
}

func equalNames(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i]|0x20 != b[i]|0x20 {
			return false
		}
	}
	return true
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
