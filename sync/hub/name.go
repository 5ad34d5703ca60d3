package hub

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName bounds a channel's name, in bytes.
const maxName = 255

// ValidName tells whether a channel may have that name: 1 to 255 bytes of
// UTF-8 that can be printed. Others are for the hub itself.
func ValidName(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// Names calls f with each of a list as X-WS-Channels has it, on one line or
// several: separated by commas, spaces around them do not count. Names are not
// judged.
func Names(list string, f func(name string)) {
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.Trim(name, " \t"); name != "" {
			f(name)
		}
	}
}

// Template makes names of channels from what is known of a client:
// `user:{session.user}`. Zero value: the empty name, which no channel has.
type Template struct{ parts []part }

// part is text as it is and behind it, if not empty, a value by its name.
type part struct{ text, value string }

// ParseTemplate reads one. known tells which values there are.
func ParseTemplate(text string, known func(value string) bool) (t Template, err error) {
	for rest := text; rest != ""; {
		before, behind, open := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return Template{}, fmt.Errorf("channel %q: a } without a {", text)
		}
		p := part{text: before}
		if open {
			value, after, closed := strings.Cut(behind, "}")
			if !closed || !known(value) {
				return Template{}, fmt.Errorf("channel %q: {%s is no value that is known, as {path} or {session.user} are", text, value)
			}
			p.value, behind = value, after
		}
		t.parts = append(t.parts, p)
		rest = behind
	}
	if len(t.parts) == 0 || len(t.parts) == 1 && t.parts[0].value == "" && !ValidName(t.parts[0].text) {
		return Template{}, fmt.Errorf("channel %q: want 1 to 255 bytes that can be printed", text)
	}
	return t, nil
}

// Expand returns the name for one client; value returns "" for what it does
// not have, and then there is no name for it. The name is not judged.
func (t Template) Expand(value func(name string) string) (name string, ok bool) {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.text)
		if p.value == "" {
			continue
		}
		v := value(p.value)
		if v == "" {
			return "", false
		}
		b.WriteString(v)
	}
	return b.String(), b.Len() > 0
}

// Match tells whether a channel's name fits a pattern, in which a * at the end
// stands for any end, and alone for all names.
func Match(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}
