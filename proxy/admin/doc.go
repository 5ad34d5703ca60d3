// Package admin is the operator's side door: health, metrics and profiles on
// a listener of its own, so that a flood of clients cannot lock it and a
// client can never reach it.
//
// It hides how those pages are served and guarded. Whoever builds the process
// hands it closures (Ready, Metrics, Purge, Cache) and it knows nothing else about the
// proxy: it imports none of our packages, and none of the fast ones import it.
//
// It promises that every path asks for the token when there is one, that a
// page that panics costs a 500 and not the process, and that a scrape costs
// the proxy nothing but what the Metrics closure reads.
//
// Paths: /healthz (200 while the process lives), /readyz (200 or 503),
// /metrics (Prometheus text format), /cache (the cache's figures), /cache/purge
// (POST: 200, or 202 while others do not know yet), /api/sessions/ID (a session's
// data; DELETE: 204, it has ended), /api/publish,
// /api/channels and /api/connections (the hub's), /debug/pprof/ (as net/http/pprof has
// them, so `go tool pprof http://ADDR/debug/pprof/profile?seconds=5` works).
// A CPU profile costs a few per cent while it is taken; an execution trace
// costs more.
package admin
