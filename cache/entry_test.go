package cache

import (
	"bytes"
	"testing"

	"multiserver/cache/rule"
	"multiserver/proxy/wire"
)

// record is one of an answer with that head and body.
func record(t testing.TB, head, body string) []byte {
	t.Helper()
	var res wire.Response
	if _, err := res.Parse([]byte(head)); err != nil {
		t.Fatal(err)
	}
	rec := appendRecord(nil, &terms{kind: kindAnswer, status: res.Status, reason: res.Reason, born: 1, until: 2, while: 3, error: 4,
		seq: 5, id: 6, tags: []byte("tagtagta"), prior: []byte("other; hit, ")})
	at := len(rec)
	rec = appendStored(rec, &rule.Terms{}, &res, 0)
	return append(seal(rec, at, int64(len(body))), body...)
}

const sample = "HTTP/1.1 200 Fine\r\nETag: \"x\"\r\nlast-modified:  yesterday \r\nConnection: gone\r\nGone: 1\r\nAge: 7\r\n" +
	"Content-Length: 5\r\nContent-Type: text/plain\r\nDate: today\r\nETag: \"second\"\r\n\r\n"

func TestARecordIsReadAsItWasWritten(t *testing.T) {
	e, ok := open(record(t, sample, "hello"))
	if !ok {
		t.Fatal("not one of ours")
	}
	f := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s %q, want %q", what, got, want)
		}
	}
	f("etag", string(e.ETag()), `"x"`)
	f("last-modified", string(e.LastModified()), "yesterday")
	f("content-type", string(e.ContentType()), "text/plain")
	f("date", string(e.field(atDate)), "today")
	f("reason", string(e.reason()), "Fine")
	f("tags", string(e.tags()), "tagtagta")
	f("prior", string(e.prior()), "other; hit, ")
	f("body", string(e.inline()), "hello")
	f("fields", string(e.Fields()), "ETag: \"x\"\r\nlast-modified:  yesterday \r\nContent-Type: text/plain\r\nDate: today\r\n"+
		"ETag: \"second\"\r\nContent-Length: 5\r\n")
	if e.Status() != 200 || e.Length() != 5 || e.i64(atBorn) != 1 || e.i64(atUntil) != 2 || e.i64(atWhile) != 3 ||
		e.i64(atError) != 4 || e.seq() != 5 || e.id() != 6 || e.kind() != kindAnswer {
		t.Errorf("header % x", e.rec[:header])
	}
}

func TestARecordThatIsNotWholeIsNone(t *testing.T) {
	rec := record(t, sample, "hello")
	for n := range rec {
		if _, ok := open(rec[:n]); ok {
			t.Errorf("%d of %d bytes are taken for a record", n, len(rec))
		}
	}
	if _, ok := open(append(rec, '!')); ok {
		t.Error("a body longer than it should be is taken")
	}
	rec[atFormat]++
	if _, ok := open(rec); ok {
		t.Error("a record of another format is taken")
	}
}

// FuzzOpen: whatever bytes are taken for a record, all of it can be read.
func FuzzOpen(f *testing.F) {
	f.Add(record(f, sample, "hello"))
	f.Add(record(f, "HTTP/1.1 204 No Content\r\n\r\n", ""))
	f.Fuzz(func(t *testing.T, rec []byte) {
		e, ok := open(bytes.Clone(rec))
		if !ok {
			return
		}
		e.Stored()
		e.usable()
		_, _, _, _, _, _ = e.tags(), e.reason(), e.prior(), e.Fields(), e.Range(), e.grace()
		if !e.has(flagChunks) && (e.kind() == kindAnswer || e.kind() == kindPart) && int64(len(e.inline())) != e.Length() {
			t.Errorf("body of %d bytes is %d long", len(e.inline()), e.Length())
		}
		v := Visit{c: new(Cache), Entry: e, found: append(make([]byte, Room), e.rec...)}
		v.Front(nil)
		v.AppendFields(nil, []string{"etag"})
		var res wire.Response
		if _, err := res.Parse([]byte("HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		mergeHead(nil, &e, &res)
	})
}
