// Package daemon starts real servers for tests: processes that can be killed,
// stopped and started again at the same address. A room for each kind of server
// (redistest, memcachedtest, mongodbtest) says how it is begun and when it
// answers; this one keeps it.
//
//	daemon.go one process: start, pause, kill, start again
//	port.go   addresses that nobody else gets meanwhile
//	need.go   what a test cannot do without
//	die_*.go  none outlives the test, even one that was killed
//
// Servers are stopped by their process id, and only those that were started
// here.
package daemon
