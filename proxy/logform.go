package proxy

import (
	"fmt"
	"strings"
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
