package meta

import "time"

// month is where memcached takes a number for a date in 1970 instead of a time
// from now: what was to live for 31 days is gone at once.
const month = 30 * 24 * time.Hour

// expiry gives the value of the T flag: for whoever should live for ttl, at
// least that and less than 2 s more; 0 is for ever.
//
// One second is for memcached's clock, which moves once a second: at 10.9 it
// says 10, and what should live for 1 s would be gone at 11.0.
func expiry(now time.Time, ttl time.Duration) int64 {
	if ttl <= 0 {
		return 0
	}
	if ttl = ttl + 2*time.Second - 1; ttl > month {
		return now.Add(ttl).Unix()
	}
	return int64(ttl / time.Second)
}
