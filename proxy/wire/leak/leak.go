// Package leak is the TestMain of the packages that start goroutines: when all
// tests have passed, nothing that they started may run any more. Only tests
// import it.
package leak

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// patience is for goroutines that have been told to end and are about to.
const patience = 5 * time.Second

// Main runs the tests, then waits until no more goroutines run than before
// them. If that does not happen it shows those that are left, and fails.
func Main(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		os.Exit(code) // fuzzing itself listens for signals, for good
	}
	for end := time.Now().Add(patience); code == 0 && runtime.NumGoroutine() > before; {
		if time.Now().After(end) {
			code = 1
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			fmt.Fprintf(os.Stderr, "goroutines left behind by the tests:\n\n%s\n", stacks)
			break
		}
		time.Sleep(time.Millisecond)
	}
	os.Exit(code)
}
