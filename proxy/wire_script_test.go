package proxy_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// scriptFile is one themed file of testdata/wire.
type scriptFile struct {
	name    string
	scripts []*script
}

// script is one case. Its steps happen one after the other, whoever's they
// are, so a script reads like the recording of a conversation.
type script struct {
	file  string
	line  int
	name  string
	flags []string
	steps []step
}

// step is one line of a case: what an actor sends ('>'), must get ('<') or
// does (':'), or a shorthand of no actor (0).
type step struct {
	line  int
	actor string
	kind  byte
	text  string
}

var (
	actorLine = regexp.MustCompile(`^((?:client|origin)[0-9]*)([<>:])(?: (.*))?$`)
	shorthand = regexp.MustCompile(`^(asks|served|hit|(asks|served) [!#-~].*|refused [0-9|]+|aborted [0-9|]+)$`)
)

// parseScripts reads a file: what stands before the first "== name" holds for
// every case in it, and only flags may stand there.
func parseScripts(name, text string) (*scriptFile, error) {
	f := &scriptFile{name: strings.TrimSuffix(name, ".txt")}
	var common []string
	var c *script
	var values []string
	flush := func() error {
		if c == nil {
			return nil
		}
		err := f.add(c, values)
		values = nil
		return err
	}
	for i, line := range strings.Split(text, "\n") {
		n := i + 1
		fail := func(format string, args ...any) error {
			return fmt.Errorf("%s:%d: %s", name, n, fmt.Sprintf(format, args...))
		}
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "== "):
			if err := flush(); err != nil {
				return nil, err
			}
			c = &script{file: name, line: n, name: line[3:], flags: append([]string(nil), common...)}
		case strings.HasPrefix(line, "flags: "):
			flags := strings.Fields(line[len("flags: "):])
			if c == nil {
				common = append(common, flags...)
			} else {
				c.flags = append(c.flags, flags...)
			}
		case c == nil:
			return nil, fail("only flags may stand before the first case: %q", line)
		case strings.HasPrefix(line, "each: "):
			more, err := backquoted(line[len("each: "):])
			if err != nil {
				return nil, fail("%v", err)
			}
			values = append(values, more...)
		case shorthand.MatchString(line):
			c.steps = append(c.steps, step{line: n, text: line})
		default:
			m := actorLine.FindStringSubmatch(line)
			if m == nil {
				return nil, fail("not a step: %q", line)
			}
			c.steps = append(c.steps, step{line: n, actor: m[1], kind: m[2][0], text: m[3]})
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return f, nil
}

// add takes a case in: once, or once for each of its values, which then stand
// wherever it says {}.
func (f *scriptFile) add(c *script, values []string) error {
	if len(c.steps) == 0 {
		return fmt.Errorf("%s:%d: a case without steps", c.file, c.line)
	}
	if values == nil {
		return f.addOne(c)
	}
	if !strings.Contains(c.name, "{}") {
		return fmt.Errorf("%s:%d: the name of a case with values must say {}", c.file, c.line)
	}
	for _, v := range values {
		one := *c
		one.name = strings.ReplaceAll(c.name, "{}", v)
		one.steps = make([]step, len(c.steps))
		for i, s := range c.steps {
			s.text = strings.ReplaceAll(s.text, "{}", v)
			one.steps[i] = s
		}
		if err := f.addOne(&one); err != nil {
			return err
		}
	}
	return nil
}

func (f *scriptFile) addOne(c *script) error {
	for _, have := range f.scripts {
		if have.name == c.name {
			return fmt.Errorf("%s:%d: the case %q is at line %d already", c.file, c.line, c.name, have.line)
		}
	}
	f.scripts = append(f.scripts, c)
	return nil
}

// backquoted splits "`a` `b c`" into its quoted parts.
func backquoted(list string) ([]string, error) {
	parts := strings.Split(list, "`")
	if len(parts)%2 == 0 {
		return nil, fmt.Errorf("a backquote is missing: %s", list)
	}
	var values []string
	for i, p := range parts {
		if i%2 == 1 {
			values = append(values, p)
		} else if strings.TrimSpace(p) != "" {
			return nil, fmt.Errorf("%q stands between two values", p)
		}
	}
	return values, nil
}

// unescape turns the text of a script into the bytes it stands for:
//
//	\r \n \t \\ \xHH     one byte
//	\{abc*1000}          abc, a thousand times (escapes work inside)
//	\{date-60}           the date a minute ago; see dated
//
// A backslash at the end says that the line ends here, without CR LF; joined
// is false then.
func unescape(text string) (b []byte, joined bool, err error) {
	joined = true
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			b = append(b, text[i])
			continue
		}
		i++
		if i == len(text) {
			return b, false, nil
		}
		switch text[i] {
		case 'r':
			b = append(b, '\r')
		case 'n':
			b = append(b, '\n')
		case 't':
			b = append(b, '\t')
		case '\\':
			b = append(b, '\\')
		case 'x':
			if i+2 >= len(text) {
				return nil, false, fmt.Errorf(`\x wants two digits: %q`, text)
			}
			v, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return nil, false, fmt.Errorf(`\x wants two digits: %q`, text)
			}
			b = append(b, byte(v))
			i += 2
		case '{':
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return nil, false, fmt.Errorf(`\{ without }: %q`, text)
			}
			many, err := repeated(text[i+1 : i+end])
			if err != nil {
				return nil, false, err
			}
			b = append(b, many...)
			i += end
		default:
			return nil, false, fmt.Errorf(`unknown escape \%c: %q`, text[i], text)
		}
	}
	return b, joined, nil
}

func repeated(text string) ([]byte, error) {
	star := strings.LastIndexByte(text, '*')
	if star < 0 {
		return nil, fmt.Errorf(`\{%s}: want \{text*times}`, text)
	}
	times, err := strconv.Atoi(text[star+1:])
	if err != nil || times < 0 {
		return nil, fmt.Errorf(`\{%s}: want \{text*times}`, text)
	}
	unit, _, err := unescape(text[:star])
	if err != nil {
		return nil, err
	}
	return bytes.Repeat(unit, times), nil
}
