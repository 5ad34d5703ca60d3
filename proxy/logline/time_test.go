package logline

import (
	"testing"
	"time"
)

func TestAppendSeconds(t *testing.T) {
	f := func(d time.Duration, want string) {
		t.Helper()
		if got := string(AppendSeconds(nil, d)); got != want {
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

func TestTimeWithinASecond(t *testing.T) {
	at := time.Date(2026, 11, 22, 18, 2, 0, 250e6, time.FixedZone("", 3600))
	s := NewSecond(at, 10*time.Second)
	f := func(now time.Duration, want string) {
		t.Helper()
		if got := string(s.AppendISO(nil, now)); got != want {
			t.Errorf("at %v: %s, want %s", now, got, want)
		}
	}
	f(10*time.Second, "2026-11-22T17:02:00.250Z")
	f(10*time.Second+749*time.Millisecond, "2026-11-22T17:02:00.999Z")
	f(9750*time.Millisecond, "2026-11-22T17:02:00.000Z")
	if clf := string(s.AppendCLF(nil)); clf != "22/Nov/2026:18:02:00 +0100" {
		t.Errorf("in combined: %s", clf)
	}
}
