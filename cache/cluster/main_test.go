// Package cluster has tests only: what several nodes promise together, held to
// the real program, on real Redis servers, before an origin that counts.
//
//	main_test.go      builds the program
//	node_test.go      one node: start, ask, kill
//	origin_test.go    answers as the URL says, and knows what it was asked
//	relay_test.go     a wire between a node and Redis that can be cut
//	load_test.go      clients that check every answer they get
//	collapse_test.go  one fetch for all who ask at once
//	change_test.go    what changes is forgotten everywhere, in good time
//	fault_test.go     Redis killed, paused, emptied, failed over
//	record_test.go    records of others, and damaged ones
package cluster

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var binary string // built once

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "multiserver-test-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "multiserver")
		// Without version control's note, which fails in another user's checkout.
		args := []string{"build", "-buildvcs=false", "-o", binary}
		if os.Getenv("CLUSTER_RACE") != "" { // the program, too, with the race detector
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, "multiserver")...).CombinedOutput(); err != nil {
			panic(string(out))
		}
		return m.Run()
	}())
}
