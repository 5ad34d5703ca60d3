package server

import (
	"log/slog"
	"syscall"
)

const (
	// usual is how many clients there are places for where nobody has said so
	// and descriptors are plenty: what 400 MiB hold, if each has a request.
	usual = 1 << 16

	// besides are descriptors that are no connections, at least: listeners,
	// files, the links to Redis.
	besides = 64

	// fewest is what is offered in any case: who has no more descriptors than
	// that is told by the kernel.
	fewest = 64
)

// places is how many clients may be connected at once: what the operator has
// said, or, 0, what fits. Where what was said does not fit, the kernel would
// refuse them without a word. The runtime has raised the soft limit to the hard
// one by itself, and gives what we begin the old one back, which programs with
// select(2) need.
func places(said int, log *slog.Logger) int {
	var have syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &have) != nil {
		return max(said, fewest)
	}
	switch most := fitting(have.Cur); {
	case said == 0 && most < usual:
		log.Info("fewer clients than usual may connect at once, for want of descriptors",
			"max", most, "usual", usual, "limit", have.Cur, "raise", "ulimit -n, LimitNOFILE=")
		return most
	case said == 0:
		return usual
	case have.Cur < uint64(said)+besides:
		log.Warn("fewer descriptors than --max-connections clients need", "max", said,
			"limit", have.Cur, "want", said+besides, "raise", "ulimit -n, LimitNOFILE=, or leave --max-connections out")
	}
	return said
}

// fitting is how many clients there are descriptors for: each, and the
// connection to an upstream that is for it.
func fitting(descriptors uint64) int {
	return int(max(fewest, min(usual, (max(descriptors, besides)-besides)/2)))
}
