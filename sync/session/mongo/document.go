package mongo

import (
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"multiserver/sync/session"
)

var errForm = errors.New("the collection holds a document that is no session, or of another version")

// counters are what a document says besides the Record.
type counters struct {
	room      // bounds of what it holds, from above
	added int // grows when a key may have been added, and never falls
}

// decode fills into, which is empty, with what raw says; the bytes are copied.
func decode(raw bson.Raw, into *session.Record) (was counters, err error) {
	fields, err := raw.Elements()
	if err != nil {
		return was, err
	}
	for _, f := range fields {
		if !field(f.Key(), f.Value(), into, &was) {
			return was, errForm
		}
	}
	if into.End == 0 || (into.Version == 0) == into.Moved.Zero() {
		return was, errForm
	}
	into.Idle = min(into.Idle, into.End) // $max knows no other field
	return was, nil
}

func field(name string, v bson.RawValue, into *session.Record, was *counters) (ok bool) {
	switch name {
	case "v":
		var n int64
		n, ok = v.AsInt64OK()
		into.Version = uint64(n)
	case "c":
		into.Created, ok = v.DateTimeOK()
	case "i":
		into.Idle, ok = v.DateTimeOK()
	case "e":
		into.End, ok = v.DateTimeOK()
	case "m":
		var id string
		if id, ok = v.StringValueOK(); ok {
			into.Moved, ok = session.ParseID([]byte(id))
		}
	case "d":
		var values bson.Raw
		if values, ok = v.DocumentOK(); ok {
			ok = put(values, into)
		}
	case "n":
		was.keys, ok = whole(v)
	case "b":
		was.bytes, ok = whole(v)
	case "a":
		was.added, ok = whole(v)
	default:
		ok = true
	}
	return ok
}

func whole(v bson.RawValue) (int, bool) {
	n, ok := v.AsInt64OK()
	return int(n), ok
}

func put(values bson.Raw, into *session.Record) bool {
	list, err := values.Elements()
	for _, e := range list {
		_, raw, ok := e.Value().BinaryOK()
		if !ok {
			return false
		}
		into.Put([]byte(unescape.Replace(plain(e.Key()))), raw)
	}
	return err == nil
}

// Field names are cut at dots, may not begin with a dollar sign in every
// version, end at a zero byte and may not be empty in a path.
var (
	escape   = strings.NewReplacer("%", "%25", ".", "%2E", "$", "%24", "\x00", "%00")
	unescape = strings.NewReplacer("%25", "%", "%2E", ".", "%24", "$", "%00", "\x00")
)

const empty = "%" // what escape never makes

func path(key []byte) string {
	if len(key) == 0 {
		return "d." + empty
	}
	return "d." + escape.Replace(string(key))
}

func plain(name string) string {
	if name == empty {
		return ""
	}
	return name
}

// document is a session as a whole, under another id.
func document(id session.ID, r *session.Record) bson.D {
	values := make(bson.D, 0, len(r.Values))
	for _, v := range r.Values {
		values = append(values, bson.E{Key: strings.TrimPrefix(path(v.Key), "d."), Value: binary(v.Raw)})
	}
	return bson.D{
		{Key: "_id", Value: id.String()},
		count("v", int(r.Version)),
		{Key: "c", Value: bson.DateTime(r.Created)},
		{Key: "i", Value: bson.DateTime(r.Idle)},
		{Key: "e", Value: bson.DateTime(r.End)},
		{Key: "d", Value: values},
		count("n", len(r.Values)),
		count("b", r.Size()),
		count("a", len(r.Values)),
	}
}

// binary: JSON of a backend need not be UTF-8, as a string must.
func binary(raw []byte) bson.Binary { return bson.Binary{Data: raw} }
