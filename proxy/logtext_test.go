package proxy

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"
)

func TestQuote(t *testing.T) {
	f := func(in, combined, inJSON string) {
		t.Helper()
		if got := string(quote([]byte("x"+in), 1, false)); got != "x"+combined {
			t.Errorf("%q in combined: %s, want %s", in, got[1:], combined)
		}
		if got := string(quote([]byte("x"+in), 1, true)); got != "x"+inJSON {
			t.Errorf("%q in JSON: %s, want %s", in, got[1:], inJSON)
		}
	}
	f(``, ``, ``)
	f(`a b/c?d=e&f'`, `a b/c?d=e&f'`, `a b/c?d=e&f'`)
	f(`a"b`, `a\x22b`, `a\"b`)
	f(`a\b`, `a\x5cb`, `a\\b`)
	f("a\nb", `a\x0ab`, `a\u000ab`)
	f("\x00\x1f\x7f", `\x00\x1f\x7f`, `\u0000\u001f\u007f`)
	f("ü", `\xc3\xbc`, `\u00c3\u00bc`)
	f("\xff", `\xff`, `\u00ff`)
}

func FuzzQuoteIsJSON(f *testing.F) {
	f.Add([]byte("a\"b\\c\n\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		line := append(quote(append([]byte{'"'}, in...), 1, true), '"')
		var out string
		if err := json.Unmarshal(line, &out); err != nil || utf8.RuneCountInString(out) != len(in) {
			t.Errorf("%q is %s: %v, %d characters", in, line, err, utf8.RuneCountInString(out))
		}
	})
}

func TestAppendSeconds(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := string(appendSeconds(nil, d)); got != want {
			t.Errorf("%d ns: %s, want %s", d, got, want)
		}
	}
	f(0, "0.000000")
	f(-1, "0.000000")
	f(999, "0.000000")
	f(1000, "0.000001")
	f(4*time.Millisecond+112*time.Microsecond, "0.004112")
	f(time.Second, "1.000000")
	f(90*time.Minute+50*time.Millisecond, "5400.050000")
}

func TestStampIsOfItsSecond(t *testing.T) {
	at := time.Date(2026, 11, 22, 18, 2, 0, 250e6, time.FixedZone("", 3600))
	s := newStamp(at, 10*time.Second)
	f := func(now time.Duration, want string) {
		t.Helper()
		if got := string(s.appendISO(nil, now)); got != want {
			t.Errorf("at %v: %s, want %s", now, got, want)
		}
	}
	f(10*time.Second, "2026-11-22T17:02:00.250Z")
	f(10*time.Second+749*time.Millisecond, "2026-11-22T17:02:00.999Z")
	f(9750*time.Millisecond, "2026-11-22T17:02:00.000Z")
	if string(s.clf) != "22/Nov/2026:18:02:00 +0100" {
		t.Errorf("in combined: %s", s.clf)
	}
}

func TestTraceID(t *testing.T) {
	f := func(traceparent, want string) {
		t.Helper()
		if got := string(traceID([]byte(traceparent))); got != want {
			t.Errorf("%q: %q, want %q", traceparent, got, want)
		}
	}
	const id = "0af7651916cd43dd8448eb211c80319c"
	f("00-"+id+"-b7ad6b7169203331-01", id)
	f("01-"+id+"-b7ad6b7169203331-01-more", id)
	f("ff-"+id+"-b7ad6b7169203331-01", "")
	f("00-00000000000000000000000000000000-b7ad6b7169203331-01", "")
	f("00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "")
	f("00-"+id, "")
	f("", "")
}
