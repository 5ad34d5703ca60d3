package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"multiserver/proxy/config"
)

const (
	exitClean   = 0
	exitFailure = 1
	exitUsage   = 2
)

// Main runs the command line args, without the program's name, and returns
// the exit code.
func Main(args []string) (code int) {
	l := newLine(args, os.Stdout)
	var err error
	if l.handed, err = takeHanded(); err == nil {
		err = l.run()
	}
	code = report(os.Stderr, err)
	l.handed.fail(err)
	return code
}

// report says what went wrong, once, and which exit code that is.
func report(w io.Writer, err error) (code int) {
	var mistakes config.Mistakes
	switch {
	case err == nil:
		return exitClean
	case errors.As(err, &mistakes):
		fmt.Fprintln(w, mistakes.Error())
		return exitUsage
	}
	fmt.Fprintln(w, "multiserver: "+err.Error()+wayOut(err))
	return exitFailure
}

// wayOut adds what to do about the failures that a start commonly meets.
func wayOut(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "; something else listens there: stop it, or choose another address (--listen, --admin)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "; this machine does not have that address: choose one of its own, or none, as in --listen :8080"
	case errors.Is(err, syscall.EACCES):
		return "; not allowed: ports below 1024 need root or CAP_NET_BIND_SERVICE, files their permissions"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "; the name is unknown: check its spelling, and that this machine's DNS has it"
	case errors.As(err, &dns):
		return "; DNS did not answer: check this machine's resolver"
	}
	return ""
}
