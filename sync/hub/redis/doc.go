// Package redis is the hub's broker on Redis: a single server, a Sentinel set or
// a cluster, over a link that somebody else keeps (package sync/link).
//
//	redis.go   the broker: beginning, end, publishing
//	replay.go  what is kept, page by page
//	script.go  what is done on the server, at once
//	name.go    channels and keys as Redis knows them
//	tend.go    the goroutine that subscribes to what is wanted
//	lane.go    a connection that messages come over, one to each master
//	layout.go  which master has which slot
//
// It hides sharded and plain pub/sub, subscriptions lost with their
// connections, slots that move and masters that change. The hub calls it.
//
// It promises what hub.Broker says. Messages are published by SPUBLISH where the
// server knows it (Redis 7, clusters above all, where PUBLISH goes to every
// node), by PUBLISH otherwise. A channel's history is a stream next to it, in the
// same slot; its entries' ids are the messages'. One script appends and
// publishes. Messages are lost while a connection is, and in a failover what
// the master had not handed on.
//
// Costs: to publish is a round trip; one connection to each master that has
// channels wanted here, beside the link's; a subscription for each channel.
package redis
