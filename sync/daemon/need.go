package daemon

import (
	"os"
	"os/exec"
)

// T is what of a *testing.T is used here; the package is for persons' programs
// too, which have no tests in them.
type T interface {
	Helper()
	Fatal(args ...any)
	Skip(args ...any)
}

// Need skips the test where a program is missing that it runs; with CI=true it
// fails there, for nothing would be tested without anybody noticing.
func Need(t T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		Missing(t, program, "is missing; scripts/test installs it")
	}
}

// Missing is what Need does, for any other thing that a test cannot do without.
func Missing(t T, what ...any) {
	t.Helper()
	what = append([]any{"NOT TESTED: "}, what...)
	if os.Getenv("CI") == "true" {
		t.Fatal(what...)
		return
	}
	t.Skip(what...)
}
