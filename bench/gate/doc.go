//go:build linux

// Gate compares what the hot things cost with what they did: allocations,
// goroutines, system calls and instructions for each request, which are the
// same on a busy machine and an idle one. It never looks at a clock, so noise
// cannot trip it, and what it finds is a change of the program.
//
//	scripts/gate                     compare with bench/gate/baseline.txt; exit code 1: something costs more
//	scripts/gate -update             it is meant so: write the baseline anew
//	scripts/gate -scene hit-1k -why  one thing alone, and which functions its instructions are in
//
// It is for scripts/test, and for whoever makes something faster. Each scene
// (scene.go) is played by a process of its own with one P and no garbage
// collector: client, the whole server and origin in turn, each time in the same
// order. What client and origin use themselves is taken off.
//
// Allocations and goroutines are the runtime's own counts, to be had
// everywhere. Instructions and system calls are counted by Valgrind, which
// needs no right and no counter of the CPU; where it is missing the gate says
// that it has not compared them. The program's size is its file's. Two runs of different lengths are subtracted,
// so that their start falls out. The scheduler's part is left out: who wakes
// whom is not the same twice; so is what differs by CPU.
//
// The limits lie above the baseline by what was ever seen to differ
// (figure.go). What is above its limit is counted again, and only what stays
// there fails. All of it takes 20 s on two cores that nobody else uses.
//
//	main.go        flags, and how it ends; gate.go: what is compared, counted again, written
//	scene.go       the table of what is played; exchange.go, tunnel.go, bare.go: how
//	stage.go       the server and its origin; peer.go: ends that count their own calls
//	play.go        one scene in this process, and what that cost
//	count.go       processes that play, and the difference of two
//	valgrind.go    what Valgrind writes: instructions by function, calls by name
//	figure.go      the table of what is compared, and its limits
//	baseline.go    the file
//	judge.go       the comparison, and what it says
package main
