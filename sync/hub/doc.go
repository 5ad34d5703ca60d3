// Package hub brings what is published to a channel to each client that is a
// member of it, whichever node it hangs on.
//
//	hub.go      one node's hub: options, beginning and end
//	member.go   connections, and their places in channels
//	channel.go  channels of this node; joining and leaving them at the broker
//	name.go     what a channel may be called; names from templates and fields
//	message.go  one message: encoded once; its form between nodes
//	publish.go  from whoever publishes to the broker, and back from there
//	show.go     the fan-out: in order, and nobody waits for a slow one
//	fill.go     what was kept while nothing was heard is shown before what is newer
//	resume.go   the same for one client that comes back with an id
//	reset.go    what it is told when that cannot be
//	shown.go    what has been shown without its id is not shown again
//	grip.go     what backends and publishers say as Pushpin has it
//	keepalive.go  what a client is sent when it is quiet, for its backend
//	control.go  nodes among each other: close, join, leave, send to a connection
//	presence.go who is there, asked of all nodes
//	broker.go   what carries messages between nodes: the contract
//	memory.go   a broker within this process
//	stats.go    counters, and the reasons why something is refused
//
// It hides how messages find the nodes that want them, and in which order they
// are shown. A front-end (WebSocket, event stream) makes each connection a
// Member, whose Post takes a message or says at once that it cannot. Backends,
// the admin API and bridges publish.
//
// Who is in a channel the app decides, or the route. Where an app knows nothing
// of channels and everyone on a path hears the same, package bridge does without.
//
// It promises:
//
//   - Each member is shown a channel's messages in the order in which each node
//     published them, and none twice. At most once, and without kept history
//     what is said while the link is lost is lost.
//   - With History messages have consecutive IDs; after a loss, what is kept and
//     was missed is shown before anything newer. A client that comes back with
//     an ID is shown what it missed, or told by a reset that it cannot be.
//   - A slow member delays nobody: it is closed, or loses messages.
//   - Without a broker's server, members of one node hear each other.
//   - All queues are bounded, and what they drop is counted by its Reason.
//
// Costs: a message is encoded once and shared; beside what a Member does with
// it, each delivery is an atomic load and a call. A channel costs the broker a
// subscription on nodes that have members in it, and five seconds longer.
package hub
