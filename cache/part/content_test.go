package part

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"testing"
)

func TestContentRange(t *testing.T) {
	f := func(v, want string) {
		t.Helper()
		got := "none"
		if w, n, ok := ParseContentRange([]byte(v)); ok {
			got = string(AppendContentRange(nil, w, n))
		}
		if got != want {
			t.Errorf("%q: %s, want %s", v, got, want)
		}
	}
	f("bytes 0-0/1", "bytes 0-0/1")
	f("Bytes 5-9/10", "bytes 5-9/10")
	f("bytes 5-9/*", "bytes 5-9/*")
	f("bytes 5-9/9", "none")
	f("bytes 5-4/10", "none")
	f("bytes */10", "none")
	f("bytes=5-9/10", "none")
	f("bytes 5-/10", "none")
	f("bytes -5/10", "none")
	f("bytes 5-9", "none")
	f("bytes 5/9-10", "none")
	f("bytes 5-9/", "none")
	f("bytes 5-9/10 ", "none")
	f("bytes  5-9/10", "none")
	f("bytes +5-9/10", "none")
	f("bytes 5-9/99999999999999999999", "none")
	f("items 5-9/10", "none")
	f("", "none")
	if got := string(AppendUnsatisfied(nil, 47022)); got != "bytes */47022" {
		t.Error(got)
	}
}

func TestPartsAreReadWithASurePlaceOnly(t *testing.T) {
	f := func(status int, lines string, body int64, want string) {
		t.Helper()
		s, ok := answer(t, status, lines, body)
		if got := fmt.Sprint(s.Held, s.Length, ok); got != want {
			t.Errorf("%d, %s, %d bytes: %s, want %s", status, lines, body, got, want)
		}
	}
	f(200, "", 5, "{0 0} 5 true")
	f(200, "Content-Range: bytes 1-2/3", 5, "{0 0} 5 true")
	f(206, "Content-Range: bytes 5-9/10", 5, "{5 10} 10 true")
	f(206, "Content-Range: bytes 5-9/*", 5, "{5 10} -1 true")
	f(206, "Content-Range: bytes 5-9/10", 4, "{5 10} 10 false")
	f(206, "Content-Range: bytes 5-9/10|Content-Range: bytes 5-9/10", 5, "{0 0} 0 false")
	f(206, "Content-Type: multipart/byteranges; boundary=x", 5, "{0 0} 0 false")
}

func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-0/1", "bytes 5-9/*", "bytes */10", "bytes 9-5/10", "bytes 0-999999999999999999/1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		w, n, ok := ParseContentRange(v)
		if !ok {
			return
		}
		if w.Len() <= 0 || w.From < 0 || n >= 0 && w.To > n {
			t.Fatalf("%q: %v of %d", v, w, n)
		}
		again, m, ok := ParseContentRange(AppendContentRange(nil, w, n))
		if again != w || m != n || !ok {
			t.Fatalf("%q: %v of %d, then %v of %d", v, w, n, again, m)
		}
	})
}

// What is planned is what the standard library reads.
func TestMultipartBody(t *testing.T) {
	const whole = "0123456789abcdefghij"
	f := func(ctype string, spans ...Span) {
		t.Helper()
		p := Parts{Spans: spans, Length: int64(len(whole)), Random: [16]byte{1, 2, 3, 0xff}}
		if ctype != "" {
			p.Type = []byte(ctype)
		}
		var body []byte
		for i, s := range p.Spans {
			body = append(p.AppendHead(body, i), whole[s.From:s.To]...)
		}
		body = p.AppendTail(body)
		if p.Size() != int64(len(body)) {
			t.Errorf("%v: %d bytes, planned were %d", spans, len(body), p.Size())
		}
		kind, params, err := mime.ParseMediaType(string(p.AppendType(nil)))
		if err != nil || kind != "multipart/byteranges" {
			t.Fatal(kind, err)
		}
		r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for _, s := range spans {
			part, err := r.NextRawPart()
			if err != nil {
				t.Fatal(err)
			}
			data, _ := io.ReadAll(part)
			where := fmt.Sprintf("bytes %d-%d/%d", s.From, s.To-1, len(whole))
			if string(data) != whole[s.From:s.To] || part.Header.Get("Content-Type") != ctype || part.Header.Get("Content-Range") != where {
				t.Errorf("%v: %q %v", s, data, part.Header)
			}
		}
		if _, err := r.NextRawPart(); err != io.EOF {
			t.Error(err)
		}
	}
	f("text/plain; charset=utf-8", Span{0, 1}, Span{10, 20}, Span{5, 6})
	f("", Span{18, 20}, Span{0, 2})
	f("x/"+fmt.Sprintf("%0600d", 0), Span{18, 20}, Span{0, 2})
}
