package proxy_test

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	startOfResponse = regexp.MustCompile(`^([1-9][0-9][0-9](\|[0-9]+)*( .*)?|HTTP/.*)$`)
	startOfRequest  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \\S+ HTTP/1\\.1$")
)

// gets plays a block of what a player must get: messages, parts of one, or
// raw bytes. It says at which line it went wrong.
func (st *stage) gets(p *player, actor string, steps []step) (line int, err error) {
	start := startOfResponse
	if !isClient(actor) {
		start = startOfRequest
	}
	for len(steps) > 0 {
		line = steps[0].line
		text := steps[0].text
		if raw, ok := strings.CutPrefix(text, "bytes: "); ok {
			if err := st.getsBytes(p, actor, raw); err != nil {
				return line, err
			}
			steps = steps[1:]
			continue
		}
		if start.MatchString(text) {
			want, _, err := unescape(text)
			if err != nil {
				return line, err
			}
			if err := st.begin(p, actor, string(want)); err != nil {
				return line, err
			}
			steps = steps[1:]
		} else if p.msg == nil {
			return line, fmt.Errorf("no message has begun: %q", text)
		}
		n := 0
		for n < len(steps) && !start.MatchString(steps[n].text) && !strings.HasPrefix(steps[n].text, "bytes: ") {
			n++
		}
		if at, err := st.meets(p, steps[:n]); err != nil {
			if at > 0 {
				line = at
			}
			return line, err
		}
		steps = steps[n:]
	}
	return 0, nil
}

func (st *stage) getsBytes(p *player, actor, text string) error {
	want, _, err := unescape(text)
	if err != nil {
		return err
	}
	if p.conn == nil {
		return fmt.Errorf("%s has no connection yet", actor)
	}
	var data []byte
	st.until(patience, func() bool {
		var end error
		data, end = p.conn.unread()
		return len(data) >= len(want) || end != nil
	})
	if !bytes.HasPrefix(data, want) {
		return fmt.Errorf("want %s, got %s", quoted(want), quoted(data))
	}
	p.conn.skip(len(want))
	return nil
}

// meets compares the message a player is at with the lines about it, and reads
// it to its end unless "..." says that more of it comes later in the script.
func (st *stage) meets(p *player, steps []step) (line int, err error) {
	var e expectation
	for _, s := range steps {
		if err := e.add(s.text); err != nil {
			return s.line, err
		}
	}
	m := p.msg
	if e.noBody {
		m.framing, m.done = noBody, true
	}
	if err := e.fields(m); err != nil {
		return 0, err
	}
	for _, more := range e.more {
		for len(m.body) < m.seen+len(more) && !m.done {
			if err := st.pull(p.conn, m); err != nil {
				return 0, err
			}
		}
		if got := m.body[m.seen:]; !bytes.HasPrefix(got, more) {
			return 0, fmt.Errorf("the body goes on with %s, want %s", quoted(got), quoted(more))
		}
		m.seen += len(more)
	}
	if e.open {
		return 0, nil
	}
	err = st.finish(p)
	p.msg = nil
	if e.cut {
		if e.or502 && err == nil && sameStart(m.start, "502") == nil {
			return 0, nil
		}
		if !m.cut {
			return 0, fmt.Errorf("want the body cut off, got a whole one or none: %v, %s", err, quoted(m.body))
		}
		if e.body != nil && !bytes.HasPrefix(*e.body, m.body[m.seen:]) {
			return 0, fmt.Errorf("cut off after %s, want a part of %s", quoted(m.body[m.seen:]), quoted(*e.body))
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return 0, e.rest(m)
}

// expectation is what a block says about one message.
type expectation struct {
	names    []string // in order of their first line
	values   map[string][]string
	absent   []string
	patterns [][2]string // name, regular expression
	lines    []string
	order    []string
	framing  framing

	noBody, open, cut, or502 bool
	more                     [][]byte
	body                     *[]byte
	bodyPattern              string
	trailers                 []string
	noTrailers               []string
}

// add takes a line of a script in; wire/README.md lists them.
func (e *expectation) add(text string) error {
	if name, pattern, ok := strings.Cut(text, " ~ "); ok && !strings.Contains(name, ":") {
		if name == "body" {
			e.bodyPattern = pattern
		} else {
			e.patterns = append(e.patterns, [2]string{name, pattern})
		}
		return nil
	}
	b, _, err := unescape(text)
	if err != nil {
		return err
	}
	plain := string(b)
	switch plain {
	case "...":
		e.open = true
		return nil
	case "no body":
		e.noBody = true
		return nil
	case "cut":
		e.cut = true
		return nil
	case "cut, or 502":
		e.cut, e.or502 = true, true
		return nil
	}
	if name, ok := strings.CutPrefix(plain, "no trailer "); ok {
		e.noTrailers = append(e.noTrailers, name)
		return nil
	}
	if name, ok := strings.CutPrefix(plain, "no "); ok {
		e.absent = append(e.absent, name)
		return nil
	}
	name, value, ok := strings.Cut(plain, ":")
	if !ok {
		return fmt.Errorf("not something to expect: %q", text)
	}
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "body":
		body := []byte(value)
		e.body = &body
	case "more":
		e.more = append(e.more, []byte(value))
	case "trailer":
		e.trailers = append(e.trailers, value)
	case "line":
		e.lines = append(e.lines, value)
	case "order":
		e.order = strings.Split(value, ", ")
	case "framing":
		e.framing = framing(value)
	default:
		if e.values == nil {
			e.values = map[string][]string{}
		}
		key := strings.ToLower(name)
		if e.values[key] == nil {
			e.names = append(e.names, key)
		}
		e.values[key] = append(e.values[key], value)
	}
	return nil
}

// fields compares what is known as soon as the head is there.
func (e *expectation) fields(m *message) error {
	for _, name := range e.names {
		if got := m.values(name); !slices.Equal(got, e.values[name]) {
			return fmt.Errorf("%s: want %q, got %q", name, e.values[name], got)
		}
	}
	for _, name := range e.absent {
		if got := m.values(name); len(got) > 0 {
			return fmt.Errorf("want no %s, got %q", name, got)
		}
	}
	for _, p := range e.patterns {
		re, err := regexp.Compile(p[1])
		if err != nil {
			return err
		}
		if got := m.values(p[0]); len(got) != 1 || !re.MatchString(got[0]) {
			return fmt.Errorf("%s: want one like %s, got %q", p[0], p[1], got)
		}
	}
	for _, want := range e.lines {
		if !slices.ContainsFunc(m.fields, func(f field) bool { return f.line == want }) {
			return fmt.Errorf("want the line %q, byte for byte", want)
		}
	}
	if e.framing != "" && m.framing != e.framing {
		return fmt.Errorf("want the framing %q, got %q", e.framing, m.framing)
	}
	return e.inOrder(m)
}

// inOrder compares the order of the named fields among themselves.
func (e *expectation) inOrder(m *message) error {
	var got []string
	for _, f := range m.fields {
		if slices.ContainsFunc(e.order, func(n string) bool { return strings.EqualFold(n, f.name) }) {
			got = append(got, f.name)
		}
	}
	if !slices.EqualFunc(got, e.order, strings.EqualFold) && e.order != nil {
		return fmt.Errorf("want the fields in the order %q, got %q", e.order, got)
	}
	return nil
}

// rest compares what is known when the body is over.
func (e *expectation) rest(m *message) error {
	got := m.body[m.seen:]
	switch {
	case e.body != nil && !bytes.Equal(got, *e.body):
		return fmt.Errorf("want the body %s, got %s", quoted(*e.body), quoted(got))
	case e.body == nil && len(e.more) > 0 && len(got) > 0:
		return fmt.Errorf("want the body to end, got %s", quoted(got))
	}
	if e.bodyPattern != "" {
		re, err := regexp.Compile(e.bodyPattern)
		if err != nil {
			return err
		}
		if !re.Match(got) {
			return fmt.Errorf("want a body like %s, got %s", e.bodyPattern, quoted(got))
		}
	}
	for _, want := range e.trailers {
		name, value, _ := strings.Cut(want, ": ")
		if got := valuesOf(m.trailers, name); len(got) != 1 || got[0] != value {
			return fmt.Errorf("want the trailer %q, got %v", want, m.trailers)
		}
	}
	for _, name := range e.noTrailers {
		if got := valuesOf(m.trailers, name); len(got) > 0 {
			return fmt.Errorf("want no trailer %s, got %q", name, got)
		}
	}
	return nil
}
