// Package session keeps what a client does over several requests: a session is
// a record of JSON values under top-level keys, in a store that all nodes
// share, found by a cookie. A backend is told of it by header fields, and
// changes it by fields of its answer: it needs no store and no library.
//
//	sessions.go Sessions: options, and what is not about one request
//	begin.go    a request: from the client's token to the backend's fields
//	take.go     the backend's fields: what it asks for
//	finish.go   the answer: what is asked for is done, the client is told
//	cookie.go   the cookie, and other clients' header
//	ring.go     tokens, and the keys that sign them
//	keeper.go   keys that nodes make and share by the store
//	scan.go     a merge patch is read
//	text.go     and the strings in it
//	encode.go   values in printable ASCII
//	field.go    names of our fields
//	signer.go   a signature, for backends that others can reach
//	pin.go      the upstream of a sticky session
//	move.go     rotation and the end
//	touch.go    the idle end is put off, seldom
//	breaker.go  a store that does not answer is not asked
//	store.go    what a store promises: the contract
//	record.go   a session's values, and the merging of a patch
//	binary.go   its bytes, for stores that keep one value
//	stats.go    counters, and the reasons of refusals
//	number.go   digits
//
// It hides the cookie, the stores, and what several requests of one client at
// the same time do to each other. The proxy calls it for each request of a route
// with sessions, bytes in and bytes out: Offer for each Cookie field, Begin
// before the request goes on, Take for each field of the answer, Finish before
// its head goes to the client. Package app does the same for applications in Go,
// memory and redis are stores, and sessiontest is the contract as tests.
//
// It promises:
//
//   - No cookie, no store: a session begins when a backend first sets a value,
//     and nothing is written when nothing has changed. Its end is put off at most
//     every tenth of its idle time, for each node.
//   - A token that nobody of us has signed never reaches the store. A new session
//     has a new id, whatever the client has shown. Backends, logs and the store
//     know a hash of it, by which nobody becomes the client.
//   - Requests of one session at the same time merge by key. What a session holds
//     when Finish returns, any node sees; a client that was answered sees it even
//     where a node's copy is old, for its token says how old it may be.
//   - Rotation comes before the change that came with it; the old id works for 30
//     seconds and cannot be made a new one by whoever holds it.
//   - A store that does not answer costs what its own deadline says, a write no
//     more than Timeout, and after three times nothing. The request goes on
//     without a session, or is refused, as the Options say.
//
// It does not promise that a change which found the store away was not done, nor
// that copies of a client's requests in flight see each other's changes.
//
// Costs, of CPU: a request with a session in the local tier 0.7 µs, half of it
// SHA-256, and no allocation; a request without a cookie 40 ns.
package session
