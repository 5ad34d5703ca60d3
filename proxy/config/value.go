package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The kinds of value that several settings share. Each is given the place of
// its field, and knows how the value is read, bounded and shown.

func word(choices []string, at func(*Config) *string) value {
	return value{
		read: func(c *Config, w string) error {
			*at(c) = w
			return oneOf(choices, w)
		},
		show: func(c *Config) []string { return []string{*at(c)} },
	}
}

func oneOf(choices []string, w string) error {
	for _, choice := range choices {
		if w == choice {
			return nil
		}
	}
	if len(choices) == 1 {
		return fmt.Errorf("unknown, want %s", choices[0])
	}
	return fmt.Errorf("unknown, want one of %s", strings.Join(choices, ", "))
}

func toggle(at func(*Config) *bool) value {
	return value{
		read: func(c *Config, w string) error {
			v, err := strconv.ParseBool(w)
			if err != nil {
				return errors.New("neither true nor false")
			}
			*at(c) = v
			return nil
		},
		show: func(c *Config) []string { return []string{strconv.FormatBool(*at(c))} },
	}
}

func count(least, most int, at func(*Config) *int) value {
	return value{
		read: func(c *Config, w string) error {
			n, err := strconv.Atoi(w)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return errors.New("not a whole number")
			}
			if err != nil || n < least || n > most {
				return fmt.Errorf("out of range, want %d to %d", least, most)
			}
			*at(c) = n
			return nil
		},
		show: func(c *Config) []string { return []string{strconv.Itoa(*at(c))} },
	}
}

// orAuto also takes the word auto, which is 0.
func orAuto(v value, at func(*Config) *int) value {
	return value{
		read: func(c *Config, w string) error {
			if w == auto {
				*at(c) = 0
				return nil
			}
			return v.read(c, w)
		},
		show: func(c *Config) []string {
			if *at(c) == 0 {
				return []string{auto}
			}
			return v.show(c)
		},
	}
}

func duration(least time.Duration, at func(*Config) *time.Duration) value {
	return between(least, longest, at)
}

func between(least, most time.Duration, at func(*Config) *time.Duration) value {
	return value{
		read: func(c *Config, w string) (err error) {
			*at(c), err = durationIn(least, most, w)
			return err
		},
		show: func(c *Config) []string { return []string{showDuration(*at(c))} },
	}
}

func durationIn(least, most time.Duration, w string) (time.Duration, error) {
	d, err := parseDuration(w)
	if err == nil && (d < least || d > most) {
		err = fmt.Errorf("out of range, want %s to %s", showDuration(least), showDuration(most))
	}
	return d, err
}

func parseDuration(w string) (time.Duration, error) {
	if w != "0" && strings.Trim(w, "0123456789.") == "" {
		return 0, fmt.Errorf("missing unit, want %ss or %sms", w, w)
	}
	d, err := time.ParseDuration(w)
	if err != nil {
		return 0, errors.New("not a duration, want a number and ms, s, m or h, such as 1m30s")
	}
	return d, nil
}

// showDuration writes 1h and 1m30s where Duration.String has 1h0m0s.
func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func size[T int | int64](least, most int64, at func(*Config) *T) value {
	return value{
		read: func(c *Config, w string) error {
			n, err := parseSize(w)
			if err != nil {
				return err
			}
			if n < least || n > most || int64(T(n)) != n {
				return fmt.Errorf("out of range, want %s to %s", showSize(least), showSize(most))
			}
			*at(c) = T(n)
			return nil
		},
		show: func(c *Config) []string { return []string{showSize(int64(*at(c)))} },
	}
}

// units are those that can be written; the first that divides is shown.
var units = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"B", 1},
}

func parseSize(w string) (int64, error) {
	digits := strings.TrimRight(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit := w[len(digits):]
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || strings.HasPrefix(digits, "+") {
		return 0, errors.New("not a size, want a whole number of bytes or one with a unit, such as 64KiB")
	}
	if unit == "" {
		return n, nil
	}
	for _, u := range units {
		if strings.EqualFold(u.name, unit) {
			return times(n, u.bytes), nil
		}
	}
	// "64K" is 64000 to some and 65536 to others: ask rather than guess.
	return 0, fmt.Errorf("unknown unit %q, want KiB, MiB, GiB (of 1024) or KB, MB, GB (of 1000)", unit)
}

// times multiplies and stays at the bounds rather than overflow.
func times(n, unit int64) int64 {
	switch {
	case n > math.MaxInt64/unit:
		return math.MaxInt64
	case n < math.MinInt64/unit:
		return math.MinInt64
	}
	return n * unit
}

// showSize writes the largest unit that leaves a whole number.
func showSize(n int64) string {
	for _, u := range units {
		if u.bytes > 1 && n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}
