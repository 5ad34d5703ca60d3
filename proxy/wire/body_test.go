package wire

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// message is a body on its connection.
type message struct {
	framing Framing
	length  int64
	limit   int64
	data    string // and what stands behind the body
}

// read takes the body as it comes in pieces of some bytes, and describes it in
// a line: the data, the trailer, what is left on the connection, and the end.
func (m message) read(t testing.TB, g *Guard, piece int) string {
	t.Helper()
	c := NewConn(&feed{data: m.data, piece: piece}, g, HeadBuffer)
	defer c.Close()
	var b Body
	b.Begin(c, m.framing, m.length, m.limit)
	var got bytes.Buffer
	for {
		p, err := b.Take()
		got.Write(p)
		if len(p) == 0 && err == nil {
			t.Fatalf("%.99q: neither data nor an error", m.data)
		}
		if err == ErrMore {
			err = b.Fill()
		}
		if err == nil {
			continue
		}
		if (err == io.EOF) != b.Ended() {
			t.Errorf("%.99q: %v, but Ended is %v", m.data, err, b.Ended())
		}
		if err != io.EOF {
			return fmt.Sprintf("%q, then %s", got.String(), say(err))
		}
		if b.Taken != int64(got.Len()) {
			t.Errorf("%.99q: Taken is %d", m.data, b.Taken)
		}
		for c.Fill(1<<20) == nil {
		}
		s := fmt.Sprintf("%q", got.String())
		if len(b.Trailer) > 0 {
			s += fmt.Sprintf(" trailer %q", b.Trailer)
		}
		if rest := c.Buffered(); len(rest) > 0 {
			s += fmt.Sprintf(" rest %q", rest)
		}
		return s
	}
}

// want reads the message in pieces of every size.
func (m message) want(t *testing.T, g *Guard, want string) {
	t.Helper()
	for piece := 1; piece <= min(len(m.data), 100)+1; piece++ {
		if got := m.read(t, g, piece); got != want {
			t.Errorf("%.99q in pieces of %d: %.200s\nwant %.200s", m.data, piece, got, want)
			return
		}
	}
}

func TestChunks(t *testing.T) {
	g := newGuard(t)
	f := func(data, want string) {
		t.Helper()
		message{framing: Chunked, data: data}.want(t, g, want)
	}
	f("0\r\n\r\n", `""`)
	f("5\r\nhello\r\n0\r\n\r\n", `"hello"`)
	f("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", `"hello world"`)
	f("0005\r\nhello\r\n000\r\n\r\n", `"hello"`)
	f("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", `"01234567890123456789"`)
	f("2\r\n\r\n\r\n0\r\n\r\n", `"\r\n"`)
	f("5;x\r\nhello\r\n0;y=\"a b\t\xff\";z\r\n\r\n", `"hello"`)
	f("5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n", `"hello" rest "GET / HTTP/1.1\r\n"`)

	// Nothing that another recipient might read otherwise.
	const bad, cut = ", then 400 malformed chunk", ", then unexpected EOF"
	f("\r\n0\r\n\r\n", `""`+bad)
	f("g\r\n", `""`+bad)
	f("-1\r\n", `""`+bad)
	f("+5\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("0x5\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f(" 5\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5 \r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5\t;x\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5\r\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5\rhello\r\n0\r\n\r\n", `""`+bad)
	f("5;x\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5;x\ry\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5;\x00\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5;\x7f\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f(";x\r\nhello\r\n0\r\n\r\n", `""`+bad)
	f("5\r\nhello0\r\n\r\n", `"hello"`+bad)
	f("5\r\nhello\n0\r\n\r\n", `"hello"`+bad)
	f("5\r\nhelloXX0\r\n\r\n", `"hello"`+bad)
	f("5\r\nhello\rX0\r\n\r\n", `"hello"`+bad)
	f("8000000000000000\r\nx", `""`+bad)
	f("ffffffffffffffff\r\nx", `""`+bad)
	f("10000000000000005\r\nhello\r\n", `""`+bad)
	f("00000000000000000\r\n\r\n", `""`+bad)
	f("5;"+strings.Repeat("x", maxChunkLine)+"\r\nhello\r\n0\r\n\r\n", `""`+bad)

	// The end is only what was there.
	f("", `""`+cut)
	f("5", `""`+cut)
	f("5\r\n", `""`+cut)
	f("5\r\nhel", `"hel"`+cut)
	f("5\r\nhello", `"hello"`+cut)
	f("5\r\nhello\r\n", `"hello"`+cut)
	f("5\r\nhello\r\n0", `"hello"`+cut)
	f("5\r\nhello\r\n0\r\n", `"hello"`+cut)
	f("5\r\nhello\r\n0\r\n\r", `"hello"`+cut)
	f("5\r\nhello\r\n0\r\nX: y\r\n", `"hello"`+cut)
	f("7fffffffffffffff\r\nx", `"x"`+cut)
}

func TestTrailers(t *testing.T) {
	g := newGuard(t)
	f := func(trailer, want string) {
		t.Helper()
		message{framing: Chunked, data: "1\r\nx\r\n0\r\n" + trailer}.want(t, g, want)
	}
	f("X: y\r\n\r\n", `"x" trailer "X: y\r\n"`)
	f("X: y\r\nx:\tz \r\n\r\n", `"x" trailer "X: y\r\nx:\tz \r\n"`)
	f("Content-MD5: x\r\nDate: y\r\nVia: z\r\n\r\nrest", `"x" trailer "Content-MD5: x\r\nDate: y\r\nVia: z\r\n" rest "rest"`)

	// What would change framing, routing or identity goes no further.
	f("Content-Length: 5\r\nX: y\r\n\r\n", `"x" trailer "X: y\r\n"`)
	for _, name := range []string{
		"Transfer-Encoding", "Host", "Connection", "Authorization", "Cookie", "Set-Cookie", "X-Forwarded-For",
		"X_Forwarded_For", "Forwarded", "TE", "Trailer", "Upgrade", "Content-Type", "Content-Encoding", "Cache-Control", "Expect", "Max-Forwards",
	} {
		f(name+": x\r\n\r\n", `"x"`)
	}

	const bad = `"x", then 400 malformed trailer`
	f("\n", bad)
	f("X: y\n\r\n", bad)
	f("X: y\r\n\n", bad)
	f("X: a\rb\r\n\r\n", bad)
	f("X: \x00\r\n\r\n", bad)
	f("X : y\r\n\r\n", bad)
	f("X\r\n\r\n", bad)
	f(": y\r\n\r\n", bad)
	f(" X: y\r\n\r\n", bad)
	f("X: y\r\n z\r\n\r\n", bad)
	f("X: "+strings.Repeat("y", maxTrailer)+"\r\n\r\n", bad)
	f(strings.Repeat("X: "+strings.Repeat("y", 100)+"\r\n", maxTrailer/100)+"\r\n", bad)
}

func TestFramingMayNotOutweighData(t *testing.T) {
	g := newGuard(t)
	const bad = ", then 400 more chunk framing than data"
	f := func(data, want string) {
		t.Helper()
		if got := (message{framing: Chunked, data: data}).read(t, g, 1000); got != want {
			t.Errorf("%.50q…: %.50q…, want %.50q…", data, got, want)
		}
	}
	n := 20000 // one byte a chunk is legal, and what some do
	f(strings.Repeat("1\r\nx\r\n", n)+"0\r\n\r\n", fmt.Sprintf("%q", strings.Repeat("x", n)))
	line := "1;" + strings.Repeat("e", 200) + "\r\n"
	most := (overheadFree - overheadRate) / (len(line) - overheadRate)
	f(strings.Repeat(line+"x\r\n", most+2)+"0\r\n\r\n", fmt.Sprintf("%q", strings.Repeat("x", most))+bad)
}

func TestOtherFramings(t *testing.T) {
	g := newGuard(t)
	f := func(m message, want string) {
		t.Helper()
		m.want(t, g, want)
	}
	f(message{framing: None, data: "rest"}, `"" rest "rest"`)
	f(message{framing: Sized, length: 4, data: "body"}, `"body"`)
	f(message{framing: Sized, length: 4, data: "bodyrest"}, `"body" rest "rest"`)
	f(message{framing: Sized, length: 5, data: "body"}, `"body", then unexpected EOF`)
	f(message{framing: Sized, length: 5, data: ""}, `"", then unexpected EOF`)
	f(message{framing: ToClose, data: "body"}, `"body"`)
	f(message{framing: ToClose, data: ""}, `""`)
}

func TestBodyLimit(t *testing.T) {
	g := newGuard(t)
	f := func(m message, want string) {
		t.Helper()
		if got := m.read(t, g, 1000); got != want {
			t.Errorf("%q, at most %d: %s, want %s", m.data, m.limit, got, want)
		}
	}
	f(message{framing: Chunked, limit: 5, data: "5\r\nhello\r\n0\r\n\r\n"}, `"hello"`)
	f(message{framing: Chunked, limit: 4, data: "5\r\nhello\r\n0\r\n\r\n"}, `"", then 413 body too large`)
	f(message{framing: Chunked, limit: 5, data: "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"}, `"hello", then 413 body too large`)
	f(message{framing: Sized, limit: 4, length: 4, data: "body"}, `"body"`)
}

// A body that went by from socket to socket counts as one that was taken.
func TestPassed(t *testing.T) {
	g := newGuard(t)
	var b Body
	b.Begin(g.conn(t, &feed{}), Sized, 10, 0)
	b.Passed(4)
	if b.Ended() || b.Left() != 6 {
		t.Errorf("ended %v, %d left", b.Ended(), b.Left())
	}
	b.Passed(6)
	if !b.Ended() || b.Taken != 10 {
		t.Errorf("ended %v, %d taken", b.Ended(), b.Taken)
	}
}

func TestBeginForgetsTheBodyBefore(t *testing.T) {
	g := newGuard(t)
	c := g.conn(t, &feed{data: "1\r\nx\r\n0\r\nX: y\r\n\r\nbody", piece: 100})
	var b Body
	b.Begin(c, Chunked, 0, 0)
	for err := error(ErrMore); err != io.EOF; {
		if _, err = b.Take(); err == ErrMore {
			must(t, b.Fill())
		}
	}
	b.Begin(c, Sized, 4, 0)
	if p, err := b.Take(); err != nil || string(p) != "body" || !b.Ended() || len(b.Trailer) != 0 {
		t.Errorf("%q, %v, ended %v, trailer %q", p, err, b.Ended(), b.Trailer)
	}
}

func TestAppendChunkIsReadAgain(t *testing.T) {
	g := newGuard(t)
	for _, n := range []int{1, 9, 15, 16, 17, 255, 256, 4095, 4096, 65536} {
		data := strings.Repeat("x", n)
		out := AppendChunkEnd(AppendChunk(nil, []byte(data)), []byte("X: y\r\n"))
		want := fmt.Sprintf("%q trailer %q", data, "X: y\r\n")
		if got := (message{framing: Chunked, data: string(out)}).read(t, g, 1<<20); got != want {
			t.Errorf("%d bytes: %.99s", n, got)
		}
	}
}
