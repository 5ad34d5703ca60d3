package rule

import (
	"net/http"
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).Unix()
	f := func(v, want string) {
		t.Helper()
		s, ok := ParseDate([]byte(v), now)
		got := ""
		if ok {
			got = time.Unix(s, 0).UTC().Format(time.DateTime)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", v, got, want)
		}
	}
	f("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06 08:49:37")
	f("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06 08:49:37")
	f("Sun Nov  6 08:49:37 1994", "1994-11-06 08:49:37")
	f("Sun Nov 16 08:49:37 1994", "1994-11-16 08:49:37")
	f("sUN, 06 nOV 1994 08:49:37 gMt", "1994-11-06 08:49:37")
	f("Mon, 06 Nov 1994 08:49:37 GMT", "1994-11-06 08:49:37") // it was a Sunday
	f("Thu, 29 Feb 2024 23:59:60 GMT", "2024-03-01 00:00:00")
	f("Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01 00:00:00")
	f("Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31 23:59:59")
	f("Saturday, 01-Jan-76 00:00:00 GMT", "2076-01-01 00:00:00") // 50 years ahead
	f("Saturday, 01-Jan-77 00:00:00 GMT", "1977-01-01 00:00:00") // 51
	f("Saturday, 01-Jan-00 00:00:00 GMT", "2000-01-01 00:00:00")

	f("", "")
	f("0", "")
	f("-1", "")
	f("Thu, 29 Feb 2023 00:00:00 GMT", "")
	f("Thu, 29 Feb 1900 00:00:00 GMT", "")
	f("Thu, 31 Apr 2024 00:00:00 GMT", "")
	f("Thu, 00 Apr 2024 00:00:00 GMT", "")
	f("Thu, 01 Apr 2024 24:00:00 GMT", "")
	f("Thu, 01 Apr 2024 00:60:00 GMT", "")
	f("Thu, 01 Apx 2024 00:00:00 GMT", "")
	f("Xyz, 01 Apr 2024 00:00:00 GMT", "")
	f("Thu, 1 Apr 2024 00:00:00 GMT", "")
	f("Thu, 01 Apr 2024 00:00:00 UTC", "")
	f("Thu, 01 Apr 2024 00:00:00 +0000", "")
	f("Thu, 01 Apr 2024 00:00:00 GMTx", "")
	f("Thu, 01-Apr-24 00:00:00 GMT", "") // RFC 850 has whole names
	f("Thursday, 01-Apr-2024 00:00:00 GMT", "")
	f("Thursday, 01 Apr 2024 00:00:00 GMT", "")
	f("Thu Apr 1 00:00:00 2024", "")
	f("2024-04-01T00:00:00Z", "")
}

// FuzzDate: whatever is read is what the standard library reads, if it reads
// it at all (it insists neither on names of days nor on their case).
func FuzzDate(f *testing.F) {
	for _, s := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, v string) {
		got, ok := ParseDate([]byte(v), 1_790_000_000)
		want, err := http.ParseTime(v)
		if ok && err == nil && v[3] < 'a' && want.Unix() != got {
			t.Fatalf("%q: %d, want %d", v, got, want.Unix())
		}
	})
}
