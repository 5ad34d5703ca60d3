package sse

import (
	"bytes"
	"encoding/base64"

	"multiserver/sync/hub"
)

// ContentType is an event stream's.
const ContentType = "text/event-stream"

// Hello begins a stream: how long a client waits before it comes back, in
// milliseconds, and something for buffers on the way to pass on.
const Hello = "retry: 2000\n\n"

// Idle is a comment, which keeps connections from being taken for dead.
const Idle = ":\n\n"

// Append appends m as an event. id is its id line's value; empty: it has none.
func Append(dst []byte, m *hub.Message, id []byte) []byte {
	switch {
	case m.Reset():
		dst = append(dst, "event: reset\n"...)
	case m.Kind == hub.Binary:
		dst = append(dst, "event: binary\n"...)
	}
	if len(id) > 0 {
		dst = append(append(append(dst, "id: "...), id...), '\n')
	}
	if m.Kind == hub.Binary {
		dst = append(dst, "data: "...)
		dst = base64.StdEncoding.AppendEncode(dst, m.Data)
		return append(dst, "\n\n"...)
	}
	return append(appendLines(dst, m.Data), '\n')
}

// appendLines appends text as data lines: \r\n, \n and \r end one.
func appendLines(dst, text []byte) []byte {
	for {
		dst = append(dst, "data: "...)
		i := bytes.IndexAny(text, "\r\n")
		if i < 0 {
			return append(append(dst, text...), '\n')
		}
		dst = append(append(dst, text[:i]...), '\n')
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		text = text[i+1:]
	}
}
