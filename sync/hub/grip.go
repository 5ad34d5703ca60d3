package hub

import (
	"encoding/json"
	"fmt"
	"strings"
)

// GRIP is how backends for Pushpin speak on a WebSocket: they take the
// extension "grip", and from then on their text messages begin with a prefix.
// What begins with c: is for us, what begins with m: (or what they have chosen)
// is for the client, without it.
const (
	GripExtension = "grip"
	ControlPrefix = "c:"
	messagePrefix = "m:"
)

// GripAccepted reads the Sec-WebSocket-Extensions of a backend's answer: whether
// grip is among them, and the prefix of what is for the client.
func GripAccepted(extensions string) (prefix string, ok bool) {
	for one := range strings.SplitSeq(extensions, ",") {
		name, params, _ := strings.Cut(one, ";")
		if !strings.EqualFold(strings.TrimSpace(name), GripExtension) {
			continue
		}
		for param := range strings.SplitSeq(params, ";") {
			key, value, has := strings.Cut(param, "=")
			if has && strings.EqualFold(strings.TrimSpace(key), "message-prefix") {
				return strings.Trim(strings.TrimSpace(value), `"`), true
			}
		}
		return messagePrefix, true
	}
	return "", false
}

// control is what a backend says to us.
type control struct {
	Type       string  `json:"type"`
	Channel    string  `json:"channel"`
	Timeout    float64 `json:"timeout"`      // of keep-alive: seconds
	As         string  `json:"message-type"` // and what the content is to a WebSocket
	Mode       string  `json:"mode"`         // and when
	Exclude    string  `json:"exclude"`
	ExcludeOwn bool    `json:"exclude-self"` // of publish: not to this connection
	content
}

// content is a message in JSON: text, or bytes in base64.
type content struct {
	Content *string `json:"content"`
	Bytes   []byte  `json:"content-bin"`
}

func (c *content) message() (Kind, []byte) {
	if c.Content != nil {
		return Text, []byte(*c.Content)
	}
	return Binary, c.Bytes
}

// Control does what a backend's control message says, of which text is what
// follows ControlPrefix: subscribe, unsubscribe, keep-alive and detach, as
// Pushpin's libraries have them, and publish. What else Pushpin knows (session,
// set-meta, send-delayed, a subscription's filters) is none of theirs.
// detached: the backend wants no more of this client, which stays, and its end
// of the connection is to be closed.
func (c *Conn) Control(text []byte) (detached bool, why Reason) {
	var m control
	if err := json.Unmarshal(text, &m); err != nil {
		return false, c.h.Stats.refuse(BadControl)
	}
	switch m.Type {
	case "subscribe":
		return false, c.Subscribe(m.Channel)
	case "unsubscribe":
		c.Unsubscribe(m.Channel)
	case "detach":
		return true, OK
	case "keep-alive":
		return false, c.keepAlive(&m)
	case "publish":
		return false, c.publish(&m)
	default:
		return false, c.h.Stats.refuse(BadControl)
	}
	return false, OK
}

func (c *Conn) publish(m *control) Reason {
	p := Post{Channel: m.Channel, Exclude: m.Exclude}
	if m.ExcludeOwn {
		p.Exclude = c.ID
	}
	p.Kind, p.Data = m.message()
	return c.h.Offer(p)
}

// Item is one of Pushpin's {"items": […]}: a message or an end for a channel's
// members.
type Item struct {
	Post
	Close  bool   // end them, with Code
	Code   uint16 // 1000 if none is given
	Reason string
}

type item struct {
	Channel string            `json:"channel"`
	Exclude string            `json:"exclude"`
	Formats map[string]format `json:"formats"`
	Socket  *format           `json:"ws-message"`  // as old senders have it
	Stream  *format           `json:"http-stream"` // the same
}

type format struct {
	content
	Action string `json:"action"`
	Type   string `json:"type"`
	Code   uint16 `json:"code"`
	Reason string `json:"reason"`
}

// maxItems bounds one request.
const maxItems = 1000

// ParseItems reads a body as Pushpin's senders write it. Of each item the format
// ws-message counts, or http-stream where that is missing.
func ParseItems(body []byte) (items []Item, err error) {
	var all struct {
		Items []item `json:"items"`
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf(`not {"items": […]}: %w`, err)
	}
	if len(all.Items) == 0 || len(all.Items) > maxItems {
		return nil, fmt.Errorf("%d items; want 1 to %d", len(all.Items), maxItems)
	}
	for i := range all.Items {
		one, err := all.Items[i].read()
		if err != nil {
			return nil, fmt.Errorf("items[%d]: %w", i, err)
		}
		items = append(items, one)
	}
	return items, nil
}

func (i *item) read() (one Item, err error) {
	if !ValidName(i.Channel) {
		return one, fmt.Errorf("channel %q: want 1 to 255 bytes that can be printed", i.Channel)
	}
	f := i.format()
	if f == nil {
		return one, fmt.Errorf("channel %q: there is no format ws-message nor http-stream", i.Channel)
	}
	one.Post = Post{Channel: i.Channel, Exclude: i.Exclude}
	switch f.Action {
	case "", "send":
	case "close":
		one.Close, one.Reason = true, f.Reason
		if one.Code = f.Code; one.Code == 0 {
			one.Code = 1000
		}
		return one, nil
	default:
		return one, fmt.Errorf("channel %q: action %q; there are send and close", i.Channel, f.Action)
	}
	if f.Content == nil && f.Bytes == nil {
		return one, fmt.Errorf("channel %q: there is neither content nor content-bin", i.Channel)
	}
	one.Kind, one.Data = f.message()
	if f.Type == "text" {
		one.Kind = Text
	} else if f.Type == "binary" {
		one.Kind = Binary
	}
	return one, nil
}

func (i *item) format() *format {
	for _, name := range []string{"ws-message", "http-stream"} {
		if f, ok := i.Formats[name]; ok {
			return &f
		}
	}
	if i.Socket != nil {
		return i.Socket
	}
	return i.Stream
}
