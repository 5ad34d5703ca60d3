//go:build linux

// Bench compares multiserver with its peers: nginx, HAProxy, Varnish and the floor, a program
// that only passes bytes on. It asks what a request costs the server in CPU time, for that is what a
// machine has to give; rates and latencies are beside it.
//
// scripts/bench starts it. Everything runs on 127.0.0.1 and is stopped at the end, on Ctrl-C
// too: the server under test has one CPU with one thread or worker, the origin and wrk have
// another. A server that does not give the origin's answer is not measured, and a turn in which
// a request failed does not count.
//
// CPU time is the scheduler's account of the server's processes (cpu.go), divided by the
// answers that wrk read. It holds the kernel's work for the server too, which is most of it.
//
// A machine changes its speed while one measures, on a rented one by a third within seconds. So
// all servers of a scenario run at once, take turns, and are compared turn by turn; and -slice
// cuts the turns into pieces that alternate so fast that all see the same machine (turn.go).
// Two copies of one binary then differ by 1 % where they differed by 10; latencies need turns.
//
//	scripts/bench -all                                  all that the README shows, in 25 minutes, and its charts
//	scripts/bench -compare main~3 .                     two states of ours, interleaved
//	scripts/bench                                       all peers, the default scenarios
//	scripts/bench -slice 100ms -time 1s -rounds 15      the same, for sharp ratios of CPU time
//	scripts/bench -scenario forward-1k-c64 -rounds 3    one question
//	scripts/bench -scenario hit-1k-c64 -slice 100ms     stored answers: all with a cache, Varnish among them
//	scripts/bench -binary old=/tmp/a -binary new=/tmp/b two builds of ours side by side, in slices
//	scripts/bench -binary old=@main~3 -binary new=.     the same, with names of one's own
//	scripts/bench -binary off=. -binary 'on=. --queue 9' -servers multiserver,nginx
//	scripts/bench -servers nginx,mine=/tmp/mine.conf    two set-ups of nginx (a .cfg is HAProxy's)
//	scripts/bench -measure slow                         one slow origin of four: p99 by algorithm
//	scripts/bench -measure overload                     four times what the origins can do
//	scripts/bench -measure faults                       origins killed, stopped, failing, moving under load
//	scripts/bench -measure cluster                      three nodes that share stored answers
//	scripts/bench -measure handshakes                   what TLS and HTTP/2 cost, beside nginx, HAProxy and Caddy
//	scripts/bench -measure logs                         what metrics and the access log cost
//	scripts/bench -measure sessions                     what a session costs of a request
//	scripts/bench -measure picks -out bench/results     what a pick costs, as a chart
//	scripts/bench -pprof /tmp/profiles                  and a CPU profile per scenario
//
// The files, by what they are for:
//
//	main, options, all        the door, its flags, the whole run
//	servers, peers, traefik,  who is measured: how it is set up, built, started and stopped,
//	build, process, cpu       and what it has used
//	scenario, round, turn,    one load over kept connections, put to all in turns or slices:
//	wrk, check, stored,       forward, post, hit, mixed
//	profile, contests
//	measure, field            questions that need more than that, each a file or some:
//	  latency, cores, idle, growth, starts, logs, handshakes, websocket, hub, sessions,
//	  slow, overload (overrun, refusal), faults (tally, verdict, names), cluster, zipf, entries, picks
//	answer, bare, floor/,     what there is for nothing, to hold the others against
//	plain/
//	report, data              a run as text and as data
//	sheet, readme, chapters   data as the README's tables and charts
//
// Rooms: steady/ asks at fixed rates, app/ is an origin that fails as it is told, chart/ draws, gate/
// counts what noise cannot change, pgo/ makes profiles for the compiler; peers/ has configurations,
// results/ figures.
package main
