// Package redistest starts real Redis servers for tests: one, a Sentinel set, a
// cluster. Tests hand in their T, and what was started stops with them;
// scripts/services starts the same for a person who wants to try something.
//
//	server.go    one process
//	set.go       several that belong together
//	redistest.go what tests call
//	resp.go      as much of a client as starting them takes
//
// Servers listen on free ports of 127.0.0.1, keep their files in a directory of
// the test, save nothing, and are stopped by their process id. Where
// redis-server is missing a test is skipped, except with CI=true, where it fails.
package redistest
