package proxy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"multiserver/proxy/logline"
)

// LogForm is what a line of the access log says, and how. The zero value is a
// line in the combined form for every exchange.
type LogForm struct {
	JSON    bool     // an object a line; else the combined form, and Fields behind it
	Fields  []string // of LogFields, in order; none: those of the form's own
	Sample  int      // only one of so many exchanges that went well; 0 and 1: all
	Secrets bool     // are written as they are, and not as ***
}

// form is a LogForm made ready to write by.
type form struct {
	json   bool
	sample int
	timed  bool // there is a field for the time that upstreams took
	fields []column

	uri, referer, agent value // of the combined form's front
}

// column is a field of the lines of one Log.
type column struct {
	key    []byte // with all that is around it up to the value, a comma for one before included
	quoted bool   // its value is text
	append value
}

// The fields of lines whose operator did not choose: log tools know what is in
// a combined line, so only what is not stands behind it.
var (
	jsonFields = []string{"time", "client", "method", "host", "uri", "protocol", "status", "bytes", "referer", "agent",
		"route", "pool", "upstream", "tries", "cache", "duration", "wait", "reason", "id", "trace"}
	combinedFields = []string{"upstream", "duration", "tries", "cache", "id"}
)

// CheckLogField says what is wrong with the name of a field, and nil of one
// that there is. Names that end in a colon in logFields are followed by that of a
// header field.
func CheckLogField(name string) error {
	if _, _, ok := findField(name); !ok {
		return fmt.Errorf("access log: no field %q, want some of %s", name, strings.Join(LogFields(), ", "))
	}
	return nil
}

// LogFields are the names of all fields there are.
func LogFields() []string {
	names := make([]string, len(logFields))
	for i, f := range logFields {
		names[i] = f.name
	}
	return names
}

func findField(name string) (f logField, of string, ok bool) {
	kind, of, named := strings.Cut(name, ":")
	for _, f := range logFields {
		if named && f.name == kind+":" && of != "" || !named && f.name == name {
			return f, strings.ToLower(of), true
		}
	}
	return logField{}, "", false
}

func compile(f LogForm) form {
	out := form{
		json: f.JSON, sample: f.Sample,
		uri: target("", f.Secrets), referer: headerValue("referer", f.Secrets), agent: headerValue("user-agent", f.Secrets),
	}
	names := f.Fields
	switch {
	case len(names) > 0:
	case f.JSON:
		names = jsonFields
	default:
		names = combinedFields
	}
	for _, name := range names {
		field, of, ok := findField(name)
		if !ok {
			panic("BUG: " + CheckLogField(name).Error())
		}
		c := column{quoted: field.make != nil || field.text, append: field.append}
		if field.make != nil {
			c.append = field.make(of, f.Secrets)
		}
		c.key = fmt.Appendf(nil, " %s=", name)
		if f.JSON {
			c.key = fmt.Appendf(nil, ",%q:", name)
		}
		out.timed = out.timed || name == "wait"
		out.fields = append(out.fields, c)
	}
	return out
}

// appendJSON writes an object, without the fields that have nothing to say. How
// many exchanges a line of a sample stands for is its last one.
func (f *form) appendJSON(b []byte, x *Exchange, m moment) []byte {
	at := len(b)
	for i := range f.fields {
		c := &f.fields[i]
		before := len(b)
		b = append(b, c.key...)
		if c.quoted {
			b = append(b, '"')
		}
		from := len(b)
		if b = c.append(b, x, m); len(b) == from {
			b = b[:before]
			continue
		}
		if c.quoted {
			b = append(logline.Quote(b, from, true), '"')
		}
	}
	if f.sample > 1 && x.went() {
		b = strconv.AppendInt(append(b, `,"sample":`...), int64(f.sample), 10)
	}
	if len(b) == at {
		return append(b, "{}\n"...)
	}
	b[at] = '{' // in place of the first comma
	return append(b, "}\n"...)
}

// appendCombined writes the combined form that log tools know, then the fields
// as words; - stands for nothing.
//
//	127.0.0.1 - - [22/Nov/2026:18:02:00 +0000] "GET / HTTP/1.1" 200 1024 "-" "curl/8.5" upstream=http://10.0.0.7:3001 duration=0.004112 tries=1 cache=uri-miss id=…
func (f *form) appendCombined(b []byte, x *Exchange, m moment) []byte {
	b = appendWord(b, appendClient, x, m)
	b = append(m.AppendCLF(append(b, " - - ["...)), `] "`...)
	b = append(append(b, x.Req.Method...), ' ')
	b = appendWord(b, f.uri, x, m)
	b = append(appendProtocol(append(b, ' '), x, m), `" `...)
	b = append(strconv.AppendInt(b, int64(x.status), 10), ' ')
	b = append(strconv.AppendInt(b, x.sent, 10), ` "`...)
	b = append(appendWord(b, f.referer, x, m), `" "`...)
	b = append(appendWord(b, f.agent, x, m), '"')
	for i := range f.fields {
		c := &f.fields[i]
		b = append(b, c.key...)
		from := len(b)
		b = appendWord(b, c.append, x, m)
		if c.quoted && bytes.IndexByte(b[from:], ' ') >= 0 {
			b = append(slices.Insert(b, from, '"'), '"')
		}
	}
	return append(b, '\n')
}

func appendWord(b []byte, v value, x *Exchange, m moment) []byte {
	from := len(b)
	if b = v(b, x, m); len(b) == from {
		return append(b, '-')
	}
	return logline.Quote(b, from, false)
}
