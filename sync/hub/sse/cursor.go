package sse

import (
	"slices"
	"strings"

	"multiserver/sync/hub"
)

// Cursor is where a client is in its channels, in the order in which it has
// joined them, which is the same when it comes back. Its text has the ids of
// them, separated by commas; nothing stands for a channel in which nothing
// was kept yet.
type Cursor struct {
	channels []string
	ids      []hub.ID
	back     bool // it has been here before
}

// NewCursor is of a client in channels. last is what it had the last time; ok
// tells whether that fits, and if not, it begins anew.
func NewCursor(channels []string, last string) (c Cursor, ok bool) {
	c = Cursor{channels: channels, ids: make([]hub.ID, len(channels))}
	if last == "" {
		return c, true
	}
	ids := strings.Split(last, ",")
	if len(ids) != len(channels) {
		return c, false
	}
	for i, text := range ids {
		if text == "" {
			continue
		}
		if c.ids[i], ok = hub.ParseID(text); !ok {
			clear(c.ids)
			return c, false
		}
	}
	c.back = true
	return c, true
}

// Pass is for a message that the client gets.
func (c *Cursor) Pass(m *hub.Message) {
	if i := slices.Index(c.channels, m.Channel); i >= 0 && m.ID != (hub.ID{}) {
		c.ids[i] = m.ID
	}
}

// Append appends its text; nothing if the client has heard nothing that is kept.
func (c *Cursor) Append(dst []byte) []byte {
	if !slices.ContainsFunc(c.ids, func(id hub.ID) bool { return id != hub.ID{} }) {
		return dst
	}
	for i, id := range c.ids {
		if i > 0 {
			dst = append(dst, ',')
		}
		if id != (hub.ID{}) {
			dst = id.Append(dst)
		}
	}
	return dst
}
