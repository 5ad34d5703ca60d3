// Package redis is the cache's second tier: records under keys on a Redis that
// all nodes share, and the news of who changed what, so that each may keep
// copies in memory. It knows nothing of HTTP; a record is bytes.
//
//	redis.go   the tier: options, beginning and end
//	read.go    finding records, and leases: bounded waits
//	queue.go   putting and dropping: what waits, in order
//	write.go   the goroutine that writes it
//	lately.go  puts that another node may have overtaken on their way
//	owed.go    drops that Redis was not there for
//	watch.go   news of changes, and who waits for them
//	mark.go    many records dropped by one word
//	breaker.go who does not answer is not asked
//	link.go    the client, its connections
//	tend.go    the goroutine that keeps the link
//	publish.go news where Redis does not track keys
//	record.go  a value's form: version, squeezing, checksum
//	key.go     names in Redis
//
// It hides single servers, Sentinel and clusters, RESP3's pushes and what takes
// their place, losses and failovers. The cache calls it on a miss in memory.
//
// It promises:
//
//   - Find and Lease wait for ReadTimeout and no more, even if the server hangs;
//     after three failures in a row they do not wait at all until it answers
//     probes in time. Put, Drop and Release never wait.
//   - What another node changes is told by Changed, once or twice. If news may
//     have been missed, Epoch grows and Changed(nil) says that. A node does not
//     hear of its own puts, except in a cluster if the client has asked a
//     replica for the topology; its copy in memory is then fetched once more.
//   - A drop is done, if need be later: when Redis is back, and before this node
//     reads from it. Only the end of the process forgets it. No put of this node
//     that is older comes after it and stays, nor one that waited or was on its
//     way while another node changed the key; in a cluster, one that was on its
//     way just then may. Until it is done, Find does not find the record here.
//   - A value that is damaged, foreign or of another version is a miss.
//   - Memory is bounded: queue, drops owed, calls under way, unpacked length.
//
// It does not promise that a put arrives, nor that what Find gives is still
// the newest when it is there: see Pulse. Redis should evict by a volatile-*
// policy: marks have no end of their own, and allkeys-* would evict them.
//
// Costs, on 2 cores with Redis on one of them: a Find is a round trip, 90 µs, and
// 3 allocations, or 7 ns and none while Redis is away; a change reaches another
// node in 0.2 ms, one in a hundred in more than 0.8. Each node has one
// connection to each server, with 128 KiB of buffers, and one write or drop is
// one push to each other node. Records from 1 KiB on are squeezed by s2 if that
// saves an eighth.
package redis
