package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Line writes words as a shell would read them: as one line, with quotes
// where they are needed.
func Line(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = quoted(w)
	}
	return strings.Join(out, " ")
}

// plainBytes need no quotes in any shell.
const plainBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./{}-"

func quoted(w string) string {
	switch {
	case w != "" && strings.Trim(w, plainBytes) == "":
		return w
	case !strings.ContainsFunc(w, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	// $'…' is of POSIX since 2024, and of bash and zsh since long.
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(w) {
		switch c := w[i]; {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}

// splitLine takes a line apart as a shell does, but for what shells put in:
// there are no variables, patterns or commands in it.
func splitLine(s string) (words []string, err error) {
	l := &lineReader{rest: s}
	for l.skip() {
		w, err := l.word()
		if err != nil {
			return nil, err
		}
		words = append(words, w)
	}
	return words, nil
}

type lineReader struct{ rest string }

// skip moves to the next word, if there is one.
func (l *lineReader) skip() bool {
	l.rest = strings.TrimLeft(l.rest, " \t")
	return l.rest != ""
}

var errQuote = errors.New("a quote is not closed")

func (l *lineReader) word() (string, error) {
	var b strings.Builder
	for l.rest != "" && l.rest[0] != ' ' && l.rest[0] != '\t' {
		var part string
		ok := true
		switch {
		case strings.HasPrefix(l.rest, "$'"):
			part, ok = l.escaped()
		case l.rest[0] == '\'':
			part, l.rest, ok = strings.Cut(l.rest[1:], "'")
		case l.rest[0] == '"':
			part, ok = l.doubled()
		case l.rest[0] == '\\':
			if ok = len(l.rest) > 1; ok {
				part, l.rest = l.rest[1:2], l.rest[2:]
			}
		case strings.IndexByte("|&;<>`", l.rest[0]) >= 0:
			return "", fmt.Errorf("%q is for a shell, want it in quotes, or sh -c '…'", l.rest[:1])
		default:
			part, l.rest = l.rest[:1], l.rest[1:]
		}
		if !ok {
			return "", errQuote
		}
		b.WriteString(part)
	}
	return b.String(), nil
}

// doubled reads "…", in which a backslash protects only what it must.
func (l *lineReader) doubled() (string, bool) {
	var b strings.Builder
	for i := 1; i < len(l.rest); i++ {
		switch c := l.rest[i]; {
		case c == '"':
			l.rest = l.rest[i+1:]
			return b.String(), true
		case c == '\\' && i+1 < len(l.rest) && strings.IndexByte("\\\"$`", l.rest[i+1]) >= 0:
			i++
			b.WriteByte(l.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// escaped reads $'…', with the escapes that quoted writes, and tabs.
func (l *lineReader) escaped() (string, bool) {
	var b strings.Builder
	for i := 2; i < len(l.rest); i++ {
		c := l.rest[i]
		if c == '\'' {
			l.rest = l.rest[i+1:]
			return b.String(), true
		}
		if c != '\\' || i+1 == len(l.rest) {
			b.WriteByte(c)
			continue
		}
		i++
		switch c = l.rest[i]; c {
		case 'n':
			c = '\n'
		case 't':
			c = '\t'
		case 'r':
			c = '\r'
		case 'x':
			if n, err := strconv.ParseUint(l.rest[i+1:min(i+3, len(l.rest))], 16, 8); err == nil {
				c = byte(n)
				i += 2
			}
		}
		b.WriteByte(c)
	}
	return "", false
}
