package rule

import (
	"time"

	"multiserver/proxy/wire"
)

// ParseDate reads an HTTP date (RFC 9110 §5.6.7) in any of its three formats,
// and nothing that merely looks like one: a cache that guesses right where
// another guesses wrong makes answers fresh that nobody meant to be. Letters
// may have any case. The weekday must be one, but need not be the right one,
// as nobody else looks. now, in Unix seconds, tells the century of RFC 850's
// two digits.
func ParseDate(v []byte, now int64) (seconds int64, ok bool) {
	var d date
	switch {
	case len(v) < len("Sun Nov  6 08:49:37 1994"):
		return 0, false
	case v[3] == ',':
		ok = d.fixdate(v)
	case v[3] == ' ':
		ok = d.asctime(v)
	default:
		ok = d.rfc850(v, now)
	}
	if !ok || d.hour > 23 || d.minute > 59 || d.second > 60 || d.day < 1 || d.day > days(d.month, d.year) {
		return 0, false
	}
	return d.unix(), true
}

type date struct{ year, month, day, hour, minute, second int }

// fixdate reads "Sun, 06 Nov 1994 08:49:37 GMT".
func (d *date) fixdate(v []byte) bool {
	return shaped(v, "aaa, 00 aaa 0000 00:00:00 gmt") && among(v[:3], shortDays) &&
		d.of(v[12:16], v[8:11], v[5:7], v[17:25])
}

// asctime reads "Sun Nov  6 08:49:37 1994".
func (d *date) asctime(v []byte) bool {
	if !shaped(v, "aaa aaa 00 00:00:00 0000") && !shaped(v, "aaa aaa  0 00:00:00 0000") || !among(v[:3], shortDays) {
		return false
	}
	day := v[8:10]
	if day[0] == ' ' {
		day = day[1:]
	}
	return d.of(v[20:24], v[4:7], day, v[11:19])
}

// rfc850 reads "Sunday, 06-Nov-94 08:49:37 GMT". A year more than 50 years
// ahead is the one a century before.
func (d *date) rfc850(v []byte, now int64) bool {
	const tail = ", 00-aaa-00 00:00:00 gmt"
	at := len(v) - len(tail)
	if !shaped(v[at:], tail) || !among(v[:at], longDays) {
		return false
	}
	t := v[at:]
	if !d.of(t[9:11], t[5:8], t[2:4], t[12:20]) {
		return false
	}
	this := time.Unix(now, 0).UTC().Year()
	d.year += this - this%100
	switch ahead := d.year - this; {
	case ahead > 50:
		d.year -= 100
	case ahead <= -50:
		d.year += 100
	}
	return true
}

func (d *date) of(year, month, day, clock []byte) (ok bool) {
	d.year, d.day = number(year), number(day)
	d.hour, d.minute, d.second = number(clock[:2]), number(clock[3:5]), number(clock[6:8])
	for i, m := range months {
		if wire.EqualFold(month, m) {
			d.month = i + 1
			return true
		}
	}
	return false
}

// unix counts days from a year that begins in March, so that the leap day is
// the last one; and 400 years early, as division cuts towards 0.
func (d *date) unix() int64 {
	y, m := int64(d.year+400), int64(d.month)
	if m <= 2 {
		y--
		m += 12
	}
	day := 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(d.day) - 1 - 719468 - 146097
	return ((day*24+int64(d.hour))*60+int64(d.minute))*60 + int64(d.second)
}

// shaped tells whether v looks like shape, in which 0 is a digit, a stands for
// a letter, and other letters for themselves in either case.
func shaped(v []byte, shape string) bool {
	if len(v) != len(shape) {
		return false
	}
	for i := range len(shape) {
		switch c, s := v[i], shape[i]; {
		case s == '0':
			if !digit(c) {
				return false
			}
		case s == 'a':
			if !letter(c) {
				return false
			}
		case letter(s):
			if c|0x20 != s {
				return false
			}
		case c != s:
			return false
		}
	}
	return true
}

var (
	shortDays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	longDays  = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	months    = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
)

func among(name []byte, list []string) bool {
	for _, l := range list {
		if wire.EqualFold(name, l) {
			return true
		}
	}
	return false
}

func days(month, year int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// number reads digits that shaped has seen.
func number(b []byte) (n int) {
	for _, c := range b {
		n = n*10 + int(c-'0')
	}
	return n
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
