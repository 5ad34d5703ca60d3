package proxy

// frames follows one direction of a WebSocket by the headers of its frames
// (RFC 6455 §5.2) and knows where the stream stands; payloads are counted and
// never looked at. Zero value: at the beginning, no frame is masked.
//
// It says no word about what it sees. A stream that breaks the rules is lost:
// its bytes pass all the same, but from there on it is at no boundary, for a
// frame of ours in the midst of what is no frame would change what is said.
type frames struct {
	masked bool // as all frames of clients are, and none of servers (§5.1)

	left    uint64   // payload to come of the frame under way
	head    [14]byte // of the next one, as far as it is here
	have    uint8
	message bool // one has begun that goes on in another frame
	closed  bool // a Close has begun; no frame follows it
	lost    bool
}

const (
	opContinue = 0x0
	opText     = 0x1
	opBinary   = 0x2
	opClose    = 0x8
	opPing     = 0x9
	opPong     = 0xa

	finBit  = 0x80 // of the first byte
	rsvBits = 0x70
	maskBit = 0x80 // of the second
)

// AtFrame tells whether a control frame may be put in here: between two
// frames, also those of one message (§5.4), and not behind a Close.
func (f *frames) AtFrame() bool { return f.left == 0 && f.have == 0 && !f.closed && !f.lost }

// AtMessage tells whether a message may be put in here.
func (f *frames) AtMessage() bool { return f.AtFrame() && !f.message }

// Left is how many bytes come next that are payload for certain.
func (f *frames) Left() uint64 {
	if f.lost {
		return 0
	}
	return f.left
}

// Passed is for n bytes of payload that went by unseen, at most Left.
func (f *frames) Passed(n int64) { f.left -= uint64(n) }

// Follow is for the bytes that come next.
func (f *frames) Follow(b []byte) {
	for len(b) > 0 && !f.lost {
		if f.left > 0 {
			n := min(f.left, uint64(len(b)))
			f.left -= n
			b = b[n:]
			continue
		}
		b = f.header(b)
	}
}

// header takes what there is of the next header, and returns what is behind.
func (f *frames) header(b []byte) []byte {
	if f.have == 0 && len(b) >= 2 { // fast path: it is here whole
		if n := headerSize(b[1]); n <= len(b) {
			f.begin(b[:n])
			return b[n:]
		}
	}
	want := 2
	if f.have >= 2 {
		want = headerSize(f.head[1])
	}
	n := copy(f.head[f.have:want], b)
	f.have += uint8(n)
	if f.have >= 2 && int(f.have) == headerSize(f.head[1]) {
		f.begin(f.head[:f.have])
		f.have = 0
	}
	return b[n:]
}

// headerSize is by a header's second byte.
func headerSize(second byte) int {
	n := 2
	switch second &^ maskBit {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if second&maskBit != 0 {
		n += 4
	}
	return n
}

// begin judges a whole header and begins its payload.
func (f *frames) begin(h []byte) {
	f.left = payload(h)
	fin, op := h[0]&finBit != 0, h[0]&0x0f
	switch {
	case f.closed || f.left>>63 != 0 || h[1]&maskBit != 0 != f.masked:
		f.lost = true
	case op <= opBinary:
		f.lost = (op == opContinue) != f.message
		f.message = !fin
	case op >= opClose && op <= opPong:
		f.lost = !fin || f.left > 125
		f.closed = op == opClose
	default: // §5.2: reserved; who knows what it does to messages
		f.lost = true
	}
}

// payload is the length that a header gives.
func payload(h []byte) (n uint64) {
	size := 0
	switch n = uint64(h[1] &^ maskBit); n {
	case 126:
		size = 2
	case 127:
		size = 8
	}
	if size == 0 {
		return n
	}
	n = 0
	for _, c := range h[2 : 2+size] {
		n = n<<8 | uint64(c)
	}
	return n
}

// goingAway is a Close with the code 1001 (§7.4.1) as a server sends it, and
// maskedAway as a client does. The key that it is masked by may be all zero:
// masking keeps scripts from choosing the bytes on the wire (§10.3), and these
// nobody chooses.
var (
	goingAway  = []byte{finBit | opClose, 2, 1001 >> 8, 1001 & 0xff}
	maskedAway = []byte{finBit | opClose, maskBit | 2, 0, 0, 0, 0, 1001 >> 8, 1001 & 0xff}
)
