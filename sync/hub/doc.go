// Package hub brings what is published to a channel to each client that is a
// member of it, whichever node it hangs on.
//
//	broker.go  what carries messages between nodes: the contract
//	memory.go  a broker within this process
package hub
