// Package leak is the TestMain of the packages that start goroutines: when all
// tests have passed, nothing that they started may run any more. Only tests
// import it.
package leak

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// patience is for goroutines that have been told to end and are about to.
const patience = 20 * time.Second

// Main runs the tests, then waits until no goroutines run that did not before.
// If that does not happen it shows those that are left, and fails. but are
// functions, as they stand in a stack, whose goroutines may stay.
func Main(m *testing.M, but ...string) {
	code := m.Run()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		os.Exit(code) // fuzzing itself listens for signals, for good
	}
	end := time.Now().Add(patience)
	for code == 0 {
		left := running(but)
		if len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			code = 1
			fmt.Fprintf(os.Stderr, "goroutines left behind by the tests:\n\n%s\n", strings.Join(left, "\n\n"))
		}
		time.Sleep(time.Millisecond)
	}
	os.Exit(code)
}

// running gives the stacks of all goroutines but this one and the excepted.
func running(but []string) []string {
	buf := make([]byte, 1<<20)
	stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	return slices.DeleteFunc(stacks[1:], func(stack string) bool {
		return slices.ContainsFunc(but, func(f string) bool { return strings.Contains(stack, f) })
	})
}
