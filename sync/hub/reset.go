package hub

import "encoding/json"

// resetMessage tells a client that came back that it may have missed what
// nobody has any more: it should ask the app anew. Behind newest it is told all.
func resetMessage(channel string, newest ID) *Message {
	about := struct {
		Type    string `json:"type"`
		Channel string `json:"channel"`
		ID      string `json:"id,omitempty"`
	}{Type: "reset", Channel: channel}
	if newest != (ID{}) {
		about.ID = newest.String()
	}
	text, _ := json.Marshal(about) // strings alone: it cannot fail
	m := newMessage(channel, newest, Text, "", text)
	m.reset = true
	return m
}

// Reset tells whether m is the hub's own word to a client that came back with
// an ID: that it may have missed something for good.
func (m *Message) Reset() bool { return m.reset }
