// Package proxy is one request's way: from the client's connection to an
// upstream and back.
//
// Serve is the map: each step is a method in the file of its name and either
// goes on or has answered. Around it, client.go reads the requests of a
// connection one after the other, and finish is the only way out.
//
//	client.go    a connection: its requests in order, its identity, its end
//	turn.go      the same for short exchanges, in no goroutine of their own
//	certificate.go  the certificate that a client has shown
//	exchange.go  what the steps of one request share
//	admit.go     what is answered here, whatever the upstreams say
//	redirect.go  the way to https, and that it is the only one
//	attend.go    streams of events that somebody here answers
//	lookup.go    a stored answer, if there is one; what the cache makes of others
//	reply.go     a stored answer's way to the client: all, a range, 304
//	refresh.go   asking an upstream behind an answer already given
//	bind.go      the client's session: to the upstream, and back from its answer
//	collect.go   a request's body, as far as it is read before an upstream is asked
//	hold.go      the same, of slow clients, where a filter wants it
//	forward.go   pick, reach, send, judge; again if that is safe
//	affinity.go  what makes requests meet the same upstream again
//	request.go   the head that goes to the upstream
//	upload.go    a request body that flows
//	response.go  the head that goes to the client
//	relay.go     an answer's body, buffered, spliced or in chunks
//	encode.go    another body in its place, for the cache as well
//	upgrade.go   WebSocket: the handshake's way, and the 101's
//	handshake.go what both must say
//	tunnel.go    two directions of bytes, parked while they are quiet
//	tunnel_watch.go  who takes part in WebSockets: the door
//	tunnel_post.go   frames that are put in between the upstream's
//	tunnel_alone.go  a client whose upstream has been let go
//	frames_sieve.go  messages that are taken out
//	frames_ears.go   control frames of a client that nobody else answers
//	farewell.go  how tunnels are told that this is the end
//	frames.go    where a direction stands
//	answer.go    our own answers, to failures and to what admit refuses; by grpc.go
//	             in the terms of who calls by gRPC
//	stats.go     what is counted, and by tally.go: durations, by route and pool
//	trace.go     how a request was decided, for who may know
//	log.go       the access log: what is written of whom, on package logline
//	logform.go   what a line says, in both forms; logfield.go has the fields
//	clock.go     the time, as exchanges have it
//
// It promises: exactly one request leaves for each one taken; an answer that
// has begun is never followed by another; a body is passed on as ended only
// when its end was there; nothing is buffered that has no bound. A buffered
// exchange allocates nothing, and a short one, once its client is known for
// them, has no goroutine either.
package proxy
