// Package spawn runs an app's processes and makes them members of a pool: an
// instance is started, let in once it takes connections, put out the moment it
// ends, started again, and rolled to a new release without a request lost.
//
//	spawn.go     App: what is run, how often, and who tells the pool
//	options.go   what the operator decides, checked against this machine
//	slot.go      one instance number over time: started, replaced, started again
//	child.go     one process, from its start to the end of all it began
//	launch.go    how it is started, and with which environment
//	place.go     where it is to listen: a port, a socket, a listener handed over
//	ready.go     whether it does, and what is wrong when it does not
//	roll.go      all of them replaced, so many at a time
//	limits.go    memory, age and requests after which one is replaced
//	output.go    what it writes, line by line into the log
//	status.go    how it is, for people
//	event.go     what happens, for whoever wants to hear of it
//	hook.go      a command or a URL that is told
//	change.go    files whose change is a new release
//	guard.go     a process that ends the others when we are killed
//	group_*.go   what differs between systems
//
// It hides processes. The server makes an App from what the operator wrote
// and lets it Run with a function that tells the pool; from then on the pool has
// those that are ready, and Roll, Scale and the events are there for whoever
// operates it. A server may have several Apps, one for each pool.
//
// # What a child is given
//
// PORT, a port on loopback that was free; MULTISERVER_SOCKET, the path of a
// Unix socket that does not exist yet; MULTISERVER_INSTANCE, from 0. It listens
// on either of the two, and is found there. {port}, {socket} and {instance} in
// its arguments stand for the same. Nothing else whose name begins with
// MULTISERVER_ reaches it, so none of our keys, tokens and passwords; and no
// descriptor of ours but /dev/null and its two pipes.
//
// # What it promises
//
// Nobody is sent to a child that has not taken a connection (or passed the
// health path), nor to one whose end the kernel has told us: that is waited
// for, not asked for. Whoever is stopped has left the pool first, and has had
// time for the requests it had. What ends too early is started again, later
// each time; what never gets ready replaces nobody.
//
// No process stays. A child is the leader of a process group, which ends with
// it; what left the group is found by a mark in its environment (Linux). When
// we are killed by a signal that nobody can catch, the kernel kills the children
// (PR_SET_PDEATHSIG) and a guard, a small process of this same program, whatever
// they had begun.
//
// # What it costs
//
// A request: nothing. A child: four goroutines that sleep, and the pool's
// connections. The guard: a process of some 10 MiB, most of it shared. Limits
// and watched files: a look at /proc, or at the files, every second.
package spawn
