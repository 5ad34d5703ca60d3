package hub

import "encoding/binary"

// Kind is what a message is to a WebSocket: its opcode.
type Kind uint8

const (
	Text   Kind = 1
	Binary Kind = 2

	ping Kind = 9 // keep-alives alone may be control frames
	pong Kind = 10
)

// Message is one as members get it: encoded once, shared by all of them, and
// never written to again. Members may keep it for as long as they like.
type Message struct {
	Channel string
	ID      ID // zero: it is not kept
	Kind    Kind
	Exclude string // a connection that does not get it
	Data    []byte // the payload

	frame  []byte // Data is its end
	origin string // an upstream whose clients have it already
	reset  bool   // see Reset
	hidden bool   // it has been shown already, without its ID
	sure   bool   // what comes before it has been looked for
}

// Frame is the message as one whole frame of a server: FIN, not masked, not
// compressed (RFC 6455 section 5.2).
func (m *Message) Frame() []byte { return m.frame }

// newMessage copies data.
func newMessage(channel string, id ID, kind Kind, exclude string, data []byte) *Message {
	frame := AppendFrame(make([]byte, 0, frameHeader+len(data)), kind, data)
	return &Message{
		Channel: channel,
		ID:      id,
		Kind:    kind,
		Exclude: exclude,
		Data:    frame[len(frame)-len(data):],
		frame:   frame,
	}
}

// frameHeader is a server's longest: 2 bytes and a length of 8.
const frameHeader = 2 + 8

// AppendFrame appends data as one whole frame of a server.
func AppendFrame(dst []byte, kind Kind, data []byte) []byte {
	const fin = 0x80
	dst = append(dst, fin|byte(kind))
	switch n := len(data); {
	case n <= 125:
		dst = append(dst, byte(n))
	case n <= 1<<16-1:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, data...)
}

// envelope is a message between nodes.
type envelope struct {
	from, seq uint64 // its node, and its number there
	kind      Kind
	exclude   string
	data      []byte
}

// A form that another version does not know is dropped there and counted.
const envelopeForm = 1

// append appends: form, kind, from, seq, length of exclude, exclude, data.
func (e *envelope) append(dst []byte) []byte {
	dst = append(dst, envelopeForm, byte(e.kind))
	dst = binary.BigEndian.AppendUint64(dst, e.from)
	dst = binary.BigEndian.AppendUint64(dst, e.seq)
	dst = append(dst, byte(len(e.exclude)))
	dst = append(dst, e.exclude...)
	return append(dst, e.data...)
}

const envelopeHead = 1 + 1 + 8 + 8 + 1

// parse reads b; data is a part of it.
func (e *envelope) parse(b []byte) bool {
	if len(b) < envelopeHead || b[0] != envelopeForm {
		return false
	}
	n := envelopeHead + int(b[envelopeHead-1])
	if len(b) < n {
		return false
	}
	*e = envelope{
		from:    binary.BigEndian.Uint64(b[2:]),
		seq:     binary.BigEndian.Uint64(b[10:]),
		kind:    Kind(b[1]),
		exclude: string(b[envelopeHead:n]),
		data:    b[n:],
	}
	return e.kind == Text || e.kind == Binary
}
