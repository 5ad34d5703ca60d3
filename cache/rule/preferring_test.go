package rule

import (
	"bytes"
	"testing"
)

func TestAnAnswerFitsAllWhoWantItsLanguageMost(t *testing.T) {
	stored, _ := AppendPreferring(nil, []byte("accept-language"), request(t, "Accept-Language: en, de"), []byte("de"))
	f := func(accept string, want bool) {
		t.Helper()
		got, ok := AppendPreferring(nil, []byte("accept-language"), request(t, "Accept-Language: "+accept), nil)
		if found := ok && bytes.Equal(got, stored); found != want {
			t.Errorf("%s: found %v, want %v", accept, found, want)
		}
	}
	f("fr;q=0.5, de;q=1.0", true)
	f("DE, fr;q=0.9", true)
	f("de, fr", false) // either
	f("fr, de;q=0.5", false)
	f("de-AT, de;q=0.9", false)
	f("*, de;q=0.5", false)
	if _, ok := AppendPreferring(nil, []byte("accept-encoding"), request(t, "Accept-Language: de, en;q=0.1"), nil); ok {
		t.Error("a language where none is asked about")
	}
}
