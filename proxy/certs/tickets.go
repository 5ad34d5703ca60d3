package certs

import (
	"crypto/rand"
	"time"
)

// tickets are the keys that sessions are handed out under, the first, and
// those that are still taken. Whoever has a key can read what TLS 1.2 clients
// said that resumed under it, so none lives for long.
type tickets struct {
	keys  [][32]byte
	since time.Time
}

const (
	ticketAge  = 12 * time.Hour
	ticketKeys = 3 // a session can be resumed for 24 hours at least
)

// rotate puts a new key before the others if it is time, and tells whether it
// did. It does not change the slice that was there before.
func (t *tickets) rotate(now time.Time) bool {
	if len(t.keys) > 0 && now.Sub(t.since) < ticketAge {
		return false
	}
	keys := make([][32]byte, 1, ticketKeys)
	_, _ = rand.Read(keys[0][:]) // never fails
	t.keys = append(keys, t.keys[:min(len(t.keys), ticketKeys-1)]...)
	t.since = now
	return true
}
