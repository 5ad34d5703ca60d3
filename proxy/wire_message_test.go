package proxy_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// message is a request that came to the origin or a response that came to a
// client, read as strictly as we can: whatever a case is about, no proxy may
// ever pass on a message that two readers could understand differently.
type message struct {
	start    string
	fields   []field
	framing  framing
	left     int64  // bytes still to come of the body or of the current chunk
	body     []byte // decoded, as far as it came
	seen     int    // how much of body the script has looked at
	trailers []field
	done     bool // the body is over
	cut      bool // the connection ended before the body did
}

type field struct{ name, value, line string }

type framing string

const (
	noBody     framing = "none"
	byLength   framing = "length"
	byChunks   framing = "chunked"
	untilClose framing = "until close"
)

var (
	requestLine = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [\x21-\x7e]+ HTTP/1\\.1$")
	statusLine  = regexp.MustCompile(`^HTTP/1\.[01] [1-9][0-9][0-9] [^\x00-\x08\x0a-\x1f\x7f]*$`)
	fieldLine   = regexp.MustCompile("^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*$")
	chunkLine   = regexp.MustCompile(`^([0-9A-Fa-f]{1,15})(;[\t\x20-\x7e]*)?$`)
	digits      = regexp.MustCompile(`^[0-9]{1,19}$`)
)

// parseHead reads a head without its empty line. It refuses what RFC 9112
// gives no meaning to.
func parseHead(head string, request bool) (*message, error) {
	lines := strings.Split(head, "\r\n")
	m := &message{start: lines[0]}
	switch {
	case request && !requestLine.MatchString(m.start):
		return nil, fmt.Errorf("the origin got a bad request line: %q", m.start)
	case !request && !statusLine.MatchString(m.start):
		return nil, fmt.Errorf("the client got a bad status line: %q", m.start)
	}
	var err error
	if m.fields, err = parseFields(lines[1:]); err != nil {
		return nil, err
	}
	return m, m.frame(request)
}

func parseFields(lines []string) (fields []field, err error) {
	for _, l := range lines {
		f := fieldLine.FindStringSubmatch(l)
		if f == nil {
			return nil, fmt.Errorf("a bad field line: %q", l)
		}
		fields = append(fields, field{f[1], f[2], l})
	}
	return fields, nil
}

// frame finds where the body ends (RFC 9112 section 6.3), or what is unclear
// about that.
func (m *message) frame(request bool) error {
	lengths, codings := m.values("Content-Length"), m.values("Transfer-Encoding")
	status := ""
	if !request {
		status = m.start[9:12]
	}
	switch {
	case len(lengths) > 1:
		return fmt.Errorf("%d Content-Length: %q", len(lengths), lengths)
	case len(lengths) == 1 && !digits.MatchString(lengths[0]):
		return fmt.Errorf("Content-Length: %q", lengths[0])
	case len(codings) > 1 || len(codings) == 1 && codings[0] != "chunked":
		return fmt.Errorf("Transfer-Encoding: %q", codings)
	case len(lengths)+len(codings) > 1:
		return errors.New("both Content-Length and Transfer-Encoding")
	case request && len(m.values("Host")) != 1:
		return fmt.Errorf("the origin got %d Host lines: %q", len(m.values("Host")), m.values("Host"))
	case (status == "204" || status != "" && status[0] == '1') && len(lengths)+len(codings) > 0:
		return fmt.Errorf("a %s with a body's framing (RFC 9110 section 8.6)", status)
	}
	switch {
	case status == "204" || status == "304" || status != "" && status[0] == '1':
		m.framing = noBody
	case len(codings) == 1:
		m.framing = byChunks
	case len(lengths) == 1:
		m.framing = byLength
		var err error
		if m.left, err = strconv.ParseInt(lengths[0], 10, 64); err != nil {
			return err
		}
	case request:
		m.framing = noBody
	default:
		m.framing = untilClose
	}
	m.done = m.framing == noBody || m.framing == byLength && m.left == 0
	return nil
}

// values are those of every line of a name, in order.
func (m *message) values(name string) []string { return valuesOf(m.fields, name) }

func valuesOf(fields []field, name string) (values []string) {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, f.value)
		}
	}
	return values
}

// take reads as much of the body as data holds and says how many bytes that
// were; 0 means that more must arrive first.
func (m *message) take(data []byte, end error) (n int, err error) {
	switch {
	case m.framing == untilClose:
		m.body = append(m.body, data...)
		m.done = cleanEnd(end)
		return len(data), nil
	case m.left > 0:
		n = int(min(m.left, int64(len(data))))
		m.body = append(m.body, data[:n]...)
		if m.left -= int64(n); m.left > 0 {
			return n, nil
		}
		if m.framing == byLength {
			m.done = true
		} else {
			m.left = afterChunk
		}
		return n, nil
	case m.left == afterChunk:
		if len(data) < 2 {
			return 0, nil
		}
		if string(data[:2]) != "\r\n" {
			return 0, fmt.Errorf("%q after a chunk's data", data[:2])
		}
		m.left = 0
		return 2, nil
	default:
		return m.chunkHead(data)
	}
}

// afterChunk as message.left: the CR LF that ends a chunk comes next.
const afterChunk = -1

func (m *message) chunkHead(data []byte) (n int, err error) {
	line, _, ok := bytes.Cut(data, []byte("\r\n"))
	if !ok {
		return 0, nil
	}
	size := chunkLine.FindSubmatch(line)
	if size == nil {
		return 0, fmt.Errorf("a bad chunk line: %q", line)
	}
	m.left, _ = strconv.ParseInt(string(size[1]), 16, 64)
	if m.left > 0 {
		return len(line) + 2, nil
	}
	section := data[len(line):] // from the CR LF on, so that "no trailers" is CR LF CR LF too
	trailers, _, ok := bytes.Cut(section, []byte("\r\n\r\n"))
	if !ok {
		return 0, nil
	}
	if len(trailers) > 0 {
		if m.trailers, err = parseFields(strings.Split(string(trailers[2:]), "\r\n")); err != nil {
			return 0, err
		}
	}
	m.done = true
	return len(line) + len(trailers) + 4, nil
}
