// Package bridge makes one room of several instances of an app that knows
// nothing of it: to each instance, for each path in use, it keeps one WebSocket
// of its own which only listens, and what that hears is shown to the clients
// that hang on the other instances.
//
//	bridge.go  the bridge: options, which instances there are, who is in which room
//	room.go    a path in use, and its ears
//	ear.go     a silent connection
//	share.go   what other nodes hear from instances that this one does not know
//
// It hides connecting, and connecting again. The proxy has each client of a hub
// path Enter, tells of Instances, and dials.
//
// It fits where everyone on a path hears the same, and the app lets anybody
// listen: a plain chat, scores, a board. It does not fit, and channels are
// needed, where instances say different things to different clients (private
// messages, rooms within a path, answers to what one client asked): these are
// not heard, or heard by everyone. An app that greets each connection, or tells
// the others that somebody came, greets and counts the silent ones too; they
// are marked X-WS-Bridge: 1, and it should pass over them. Clients whose
// instance dies come back to another, as without a bridge.
//
// It promises: what one instance says is shown to clients of others once, in
// its order, never to a backend, and never to who has heard it from the instance
// itself. What is said while a silent connection is away is lost. Nodes that
// know the same instances need no broker for that; with Share, nodes that know
// different ones hear from each other.
//
// Costs: for each path in use a connection to each instance and a goroutine
// each, on each node; with Share, each message goes to the broker as well.
package bridge
