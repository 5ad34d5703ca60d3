// Services starts Redis servers of all shapes and prints their URLs, until it
// is interrupted: scripts/services.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"multiserver/cache/redis/redistest"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

func run() error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	dir, err := os.MkdirTemp("", "services")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	single, err := redistest.Start(dir)
	if err != nil {
		return err
	}
	defer single.Stop()
	fmt.Println(single.URL())
	for _, start := range []func(string) (*redistest.Set, error){redistest.StartSentinel, redistest.StartCluster} {
		set, err := start(dir)
		if err != nil {
			return err
		}
		defer set.Stop()
		fmt.Println(set.URL)
	}
	fmt.Println("ready")
	<-stop
	return nil
}
