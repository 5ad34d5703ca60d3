// Package meta is a client of memcached by its meta protocol: values under
// keys, with the number that compare-and-swap wants, on one server or several.
//
//	client.go  what callers do
//	call.go    one command on its way
//	server.go  one server: its connections, and when it is not asked
//	conn.go    one connection, one command at a time
//	reply.go   the line that answers
//	ring.go    which server has a key
//	expiry.go  how long a value lives, as memcached takes it
//
// It hides connections, lost servers, and memcached's ways with time. The store
// of sessions calls it; a call may come from any goroutine.
//
// It promises:
//
//   - A call ends by its context's deadline, or without one within Timeout,
//     whether the server is away, hangs or sends rubbish. That a context is
//     cancelled is noticed at the beginning and while a call waits for a
//     connection. After three failures in a row a server is not asked for a
//     while, 100 ms at first and 1 s at most, but for one call that finds out.
//   - An answer belongs to its question: each carries a number that comes back
//     with it. A connection on which anything went wrong is closed.
//   - Connections to a server are bounded; who finds them all in use waits for
//     one, and has ErrBusy in the end.
//   - A key stays with its server, whether that answers or not. If others took
//     over for one that is away, what they were told would be lost when it is
//     back, and what it held from before would be believed again.
//   - A server that was restarted costs no call: connections that have ended
//     are noticed before they are used.
//
// What a failed write has done is not known, unless the error is ErrMiss,
// ErrExists, ErrConflict, ErrKey, ErrSize, ErrDown or ErrBusy: then nothing.
//
// It wants memcached 1.6.10 or later; tested with 1.6.18.
package meta
