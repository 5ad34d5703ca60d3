// Package sse makes a client that reads an event stream (HTML, section 9.2) a
// member of a hub's channels.
//
//	encode.go  messages as events; no I/O
//	cursor.go  where a client is in its channels: what it sends as Last-Event-ID
//	stream.go  a member: a queue of events, within a budget
//
// It hides lines and ids. A front-end answers the request, makes a Stream, has
// it enter the hub, and writes what Next returns until it returns an error.
//
// It promises: text is passed on as it is, but for its ends of lines, which
// become \n, and NUL bytes in it stay; binary messages come as base64 under the
// event "binary". Each message that is kept has an id line that says where the
// client is in all of its channels with history, so that one id resumes them
// all. A Stream never waits: what is beyond its budget is Full.
//
// Costs: an event is encoded once for each client, into a buffer that is reused.
package sse
