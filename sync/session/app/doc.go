// Package app is sessions for applications in Go: middleware for net/http and
// fasthttp, in either of two places. Direct, the application holds a store
// itself, and does with the cookie what a proxy of ours does, the same keys and
// format. Behind, it sits behind such a proxy, has no store, and speaks with it
// by header fields. Handlers cannot tell which.
//
//	app.go    an App: where sessions come from and go to
//	state.go  a Session: what a handler reads and changes
//	direct.go the cookie and the store are ours
//	behind.go they are the proxy's
//	http.go   middleware for net/http
//	fast.go   middleware for fasthttp
//
// What a handler changes is kept before its answer's head is sent: a client that
// has it finds the change on any node. A Session belongs to one request and one
// goroutine.
package app
