//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "play" { // what a counter runs
		times, err := strconv.Atoi(os.Args[3])
		if err == nil {
			err = play(os.Args[2], times)
		}
		end(err)
	}
	var g gate
	update := flag.Bool("update", false, "write the baseline anew")
	one := flag.String("scene", "", "only this `NAME`")
	flag.StringVar(&g.path, "baseline", "bench/gate/baseline.txt", "the `file` to compare with")
	flag.StringVar(&g.program, "program", "", "the `file` whose size is compared: multiserver, stripped")
	flag.BoolVar(&g.why, "why", false, "tell in which functions the instructions are")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	end(g.run(ctx, *one, *update))
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gate:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
