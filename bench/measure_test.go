//go:build linux

package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestPickLines(t *testing.T) {
	got := parsePicks("goos: linux\nBenchmarkPick/p2c/10 \t 1000\t 21.5 ns/op\t 0 B/op\t 0 allocs/op\nBenchmarkPick/p2c/10-2 9 1 ns/op\n" +
		"BenchmarkPick/p2c/10 \t 1000\t 20 ns/op\t 8 B/op\t 1 allocs/op\nBenchmarkPick/hash/1000 \t 1000\t 9 ns/op\t 0 B/op\t 0 allocs/op\nPASS\n")
	want := []pick{{"p2c", 10, []float64{21.5, 20}, 1}, {"hash", 1000, []float64{9}, 0}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPoolPeersAreFilledIn(t *testing.T) {
	for _, name := range []string{"nginx-pool.conf", "haproxy-pool.cfg"} {
		path, err := fill(name, place{Dir: t.TempDir(), Port: 1234, Origins: []int{5678, 5679}, Balance: "leastconn"})
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"127.0.0.1:1234", "127.0.0.1:5678", "127.0.0.1:5679", "leastconn"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %s in\n%s", name, want, text)
			}
		}
	}
}

func TestNoPathOfThisMachineIsKept(t *testing.T) {
	got := noPaths([]string{"-measure", "slow", "-binary", "new=/tmp/x/b", "-out", "/srv/r", "-time=3s"})
	if want := []string{"-measure", "slow", "-binary", "new=b", "-out", "r", "-time=3s"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}
