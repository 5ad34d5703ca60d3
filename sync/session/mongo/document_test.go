package mongo

import (
	"strings"
	"testing"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"multiserver/sync/session"
	"multiserver/sync/session/sessiontest"
)

func TestPaths(t *testing.T) {
	f := func(key, want string) {
		t.Helper()
		if got := path([]byte(key)); got != want {
			t.Errorf("%q: %q, want %q", key, got, want)
		}
	}
	f("cart", "d.cart")
	f("a.b", "d.a%2Eb")
	f("$set", "d.%24set")
	f("100%", "d.100%25")
	f("\x00", "d.%00")
	f("", "d.%")
	f("%", "d.%25")
	f("%2E", "d.%252E")
}

func FuzzDocument(f *testing.F) {
	f.Add("a.b", "$c", "[1]")
	f.Add("", "%", "\x00")
	f.Fuzz(func(t *testing.T, one, other, value string) {
		if !utf8.ValidString(one) || !utf8.ValidString(other) {
			t.Skip()
		}
		for _, key := range []string{one, other} {
			if name := strings.TrimPrefix(path([]byte(key)), "d."); strings.ContainsAny(name, ".$\x00") || name == "" {
				t.Errorf("%q is the field %q", key, name)
			}
		}
		r := session.Record{Version: 7, Created: 1, Idle: 2, End: 3}
		r.Put([]byte(one), []byte(value))
		r.Put([]byte(other), []byte("1"))
		raw, err := bson.Marshal(document(sessiontest.NewID(), &r))
		if err != nil {
			t.Fatal(err)
		}
		var got session.Record
		was, err := decode(raw, &got)
		if err != nil || sessiontest.Text(&got) != sessiontest.Text(&r) || got.Version != 7 || got.Created != 1 || got.Idle != 2 || got.End != 3 {
			t.Errorf("%+v, %v; want %+v", got, err, r)
		}
		if was.keys != len(r.Values) || was.bytes != r.Size() {
			t.Errorf("%+v", was)
		}
	})
}

func FuzzForeignDocument(f *testing.F) {
	good, _ := bson.Marshal(document(session.ID{}, &session.Record{Version: 1}))
	f.Add(good)
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r session.Record
		_, _ = decode(raw, &r) // must not panic
	})
}
