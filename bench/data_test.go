//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"testing"
)

// What a run writes into the checkout must not change the name of what it measured.
func TestACommitIsNamedOnceForARun(t *testing.T) {
	t.Chdir(t.TempDir())
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=a", "-c", "user.email=a@b.test"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args, err, out)
		}
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile("results", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	git("init", "-q")
	write("of before")
	git("add", ".")
	git("commit", "-q", "-m", "all")
	first := about(context.Background(), &Bench{}).Commit
	write("of now")
	if then := about(context.Background(), &Bench{}).Commit; then != first || first == "" {
		t.Errorf("%q, and later %q", first, then)
	}
}
