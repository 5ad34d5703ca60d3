package config

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestSizes(t *testing.T) {
	f := func(s string, want int64) {
		t.Helper()
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("%q: %d, %v, want %d", s, got, err, want)
		}
	}
	f("0", 0)
	f("1", 1)
	f("17B", 17)
	f("64KiB", 64<<10)
	f("64kib", 64<<10)
	f("64 KiB", 64<<10)
	f("256MiB", 256<<20)
	f("3GiB", 3<<30)
	f("2TiB", 2<<40)
	f("1KB", 1000)
	f("1MB", 1000000)
	f("1GB", 1000000000)
	f("1TB", 1000000000000)
	f("-1", -1)                         // the range check's business
	f("99999999999TiB", math.MaxInt64)  // too large stays too large
	f("-99999999999TiB", math.MinInt64) // and too small too small
	f("99999999999999999999", math.MaxInt64)

	wrong := func(s, why string) {
		t.Helper()
		if _, err := parseSize(s); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", s, err, why)
		}
	}
	wrong("64K", `unknown unit "K"`)
	wrong("64M", `unknown unit "M"`)
	wrong("1XB", `unknown unit "XB"`)
	wrong("1.5GiB", "whole number")
	wrong("0x10", "whole number")
	wrong("+1", "whole number")
	wrong("KiB", "whole number")
	wrong("64 KiB/s", "whole number")
	wrong("lots", "whole number")
}

func TestSizesAreShownAsTheyWouldBeWritten(t *testing.T) {
	f := func(n int64, want string) {
		t.Helper()
		if got := showSize(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	f(0, "0")
	f(1, "1")
	f(1000, "1KB")
	f(1024, "1KiB")
	f(1536, "1536")
	f(65536, "64KiB")
	f(5e6, "5MB")
	f(1<<20, "1MiB")
	f(3<<30, "3GiB")
}

func TestDurations(t *testing.T) {
	f := func(s string, want time.Duration, shown string) {
		t.Helper()
		got, err := parseDuration(s)
		if err != nil || got != want || showDuration(got) != shown {
			t.Errorf("%q: %v, %v, shown as %s; want %v, %s", s, got, err, showDuration(got), want, shown)
		}
	}
	f("2s", 2*time.Second, "2s")
	f("150ms", 150*time.Millisecond, "150ms")
	f("1.5s", 1500*time.Millisecond, "1.5s")
	f("60s", time.Minute, "1m")
	f("75s", 75*time.Second, "1m15s")
	f("1h", time.Hour, "1h")
	f("90m", 90*time.Minute, "1h30m")
	f("100m", 100*time.Minute, "1h40m")
	f("10h", 10*time.Hour, "10h")
	f("1h10s", time.Hour+10*time.Second, "1h0m10s")
	f("0", 0, "0s")
	f("0s", 0, "0s")

	wrong := func(s, why string) {
		t.Helper()
		if _, err := parseDuration(s); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", s, err, why)
		}
	}
	wrong("60", "missing unit, want 60s or 60ms")
	wrong("1.5", "missing unit, want 1.5s or 1.5ms")
	wrong("2d", "not a duration")
	wrong("soon", "not a duration")
	wrong("10 s", "not a duration")
	wrong("9999999h", "not a duration") // beyond what a Duration holds
}
