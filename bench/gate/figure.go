//go:build linux

package main

// What is compared.
const (
	allocations  = "allocations"
	bytesOf      = "bytes"
	goroutinesOf = "goroutines"
	calls        = "calls"
	instructions = "instructions"
	size         = "size"
)

// A figure is one thing that is counted, and by how much it may grow: by a
// share of what it was, and by plus: below one more for each request. Of
// instructions that is four times what they ever differed by while other
// programs took all cores (names of fields are looked up in maps, which hash
// otherwise in each process: 1 % of a head), for other processors differ more.
type figure struct {
	name    string
	share   float64
	plus    float64
	digits  int  // of interest, behind the point
	machine bool // it depends on the compiler and the kind of machine
}

var figures = []figure{
	{allocations, 0, 0.1, 2, false},   // of the whole process
	{bytesOf, 0, 40, 0, false},        // of these
	{goroutinesOf, 0, 0.1, 2, false},  // that were begun
	{calls, 0, 0.2, 2, false},         // of the server to the system, but for those that wait
	{instructions, 0.04, 60, 0, true}, // but for those that are left aside
	{size, 0.1, 0, 0, true},           // in bytes: what a dependency brings, or a linker that keeps all
}

func (f *figure) limit(was float64) float64 { return was*(1+f.share) + f.plus }
