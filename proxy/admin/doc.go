// Package admin is the operator's side door: health, metrics and profiles on
// a listener of its own, so that a flood of clients cannot lock it and a
// client can never reach it.
//
// It hides how those pages are served and guarded. Whoever builds the process
// hands it closures (Ready, Metrics, State, Purge) and it knows nothing else about the
// proxy: it imports none of our packages, and none of the fast ones import it.
//
// It promises that every path asks for the token when there is one, but for the
// dashboard's own files, which say nothing; that without one only who calls the
// listener by its name is answered, and no other site's page; that a page that
// panics costs a 500 and not the process; and that a scrape or a State costs the
// proxy nothing but what the closure reads.
//
// Paths are those of index. Profiles are as net/http/pprof has them, so
// `go tool pprof http://ADDR/debug/pprof/profile?seconds=5` works. A CPU profile
// costs a few per cent while it is taken; an execution trace costs more. Each
// dashboard that is open costs one State a second; what charts show of the time
// before it was opened, one Moment a second and 180 KiB.
//
// Files: admin (the listener), guard and guesses (who is let in), serve (which
// page), shell (the dashboard's files, which are in page/), state, stream and history
// (what it shows), upstreams, cache, spawn, sessions, hub and whole (what can be done),
// metrics, process and pprof.
package admin
