package logline

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestQuote(t *testing.T) {
	f := func(in, combined, inJSON string) {
		t.Helper()
		if got := string(Quote([]byte("x"+in), 1, false)); got != "x"+combined {
			t.Errorf("%q in combined: %s, want %s", in, got[1:], combined)
		}
		if got := string(Quote([]byte("x"+in), 1, true)); got != "x"+inJSON {
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
		line := append(Quote(append([]byte{'"'}, in...), 1, true), '"')
		var out string
		if err := json.Unmarshal(line, &out); err != nil || utf8.RuneCountInString(out) != len(in) {
			t.Errorf("%q is %s: %v, %d characters", in, line, err, utf8.RuneCountInString(out))
		}
	})
}
