package api

import (
	"strconv"

	"multiserver/sync/hub"
)

func (c *call) channels() { c.reply(200, c.hub.Channels(c.until)) }

func (c *call) members() {
	c.reply(200, c.hub.Members(c.until, hub.Target{Channel: c.path[1]}))
}

func (c *call) connection() {
	p := c.hub.Members(c.until, hub.Target{Conn: c.path[1]})
	if len(p.Members) == 0 {
		c.refuse(404, "there is no such connection")
		return
	}
	c.reply(200, p.Members[0])
}

func (c *call) send() {
	kind := kindOf(string(c.Request.Header.ContentType()))
	c.finish(outcome{}, c.hub.Send(c.until, hub.Target{Conn: c.path[1]}, kind, c.PostBody()))
}

func (c *call) endChannel()    { c.end(hub.Target{Channel: c.path[1]}) }
func (c *call) endConnection() { c.end(hub.Target{Conn: c.path[1]}) }

// endSession ends the connections of a session, by the id that backends know.
func (c *call) endSession() {
	session := string(c.QueryArgs().Peek("session"))
	if session == "" {
		c.refuse(400, "want ?session=ID, or /api/connections/ID for one connection")
		return
	}
	c.end(hub.Target{Session: session})
}

// end closes connections, with 1008 if no other code is asked for.
func (c *call) end(who hub.Target) {
	code := uint64(hub.PolicyBroken)
	if text := c.QueryArgs().Peek("code"); len(text) > 0 {
		var err error
		if code, err = strconv.ParseUint(string(text), 10, 16); err != nil || !sendable(code) {
			c.refuse(400, "code: want 1000 to 1014 without 1004 to 1006, or 3000 to 4999")
			return
		}
	}
	reason := string(c.QueryArgs().Peek("reason"))
	if len(reason) > maxReason {
		c.refuse(400, "reason: want 123 bytes at most")
		return
	}
	c.finish(outcome{}, c.hub.Disconnect(c.until, who, uint16(code), reason))
}

// maxReason is what a control frame has room for behind the code (RFC 6455
// section 5.5).
const maxReason = 125 - 2

// sendable are codes that may be in a Close (RFC 6455 section 7.4).
func sendable(code uint64) bool {
	switch {
	case code >= 3000 && code <= 4999:
		return true
	case code >= 1004 && code <= 1006:
		return false
	}
	return code >= 1000 && code <= 1014
}

func (c *call) join() {
	c.finish(outcome{}, c.hub.Subscribe(c.until, hub.Target{Conn: c.path[1]}, c.path[3]))
}

func (c *call) leave() {
	c.finish(outcome{}, c.hub.Unsubscribe(c.until, hub.Target{Conn: c.path[1]}, c.path[3]))
}
