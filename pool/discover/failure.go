package discover

import (
	"context"
	"errors"
	"net"
)

// Reason is why a look-up gave nothing; it is the label of the metric.
type Reason uint8

// The reasons.
const (
	Timeout  Reason = iota // no answer in time
	NotFound               // no such name, or nothing of use under it
	Other                  // DNS said that it failed, or could not be reached
	Reasons                // how many there are
)

var reasonNames = [Reasons]string{"timeout", "not-found", "other"}

func (r Reason) String() string { return reasonNames[r] }

// failure is a look-up that gave nothing, or not all.
type failure struct {
	name   string
	reason Reason
	hint   string // what an operator can do about it
	cause  error
}

func newFailure(name, hint string, err error) *failure {
	f := &failure{name: name, reason: judge(err), hint: hint, cause: err}
	if f.reason != NotFound {
		f.hint = "check this machine's resolver, or give the address instead of the name"
	}
	return f
}

// judge finds the reason in what a resolver returned.
func judge(err error) Reason {
	var dns *net.DNSError
	var family *net.AddrError // has addresses, but none of the family asked for
	switch {
	case errors.As(err, &dns) && dns.IsNotFound, errors.As(err, &family):
		return NotFound
	case errors.As(err, &dns) && dns.IsTimeout, errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Other
}

// Error has the name once; a DNSError would say it again.
func (f *failure) Error() string {
	var dns *net.DNSError
	if !errors.As(f.cause, &dns) {
		return f.name + ": " + f.cause.Error()
	}
	if dns.Server == "" {
		return f.name + ": " + dns.Err
	}
	return f.name + ": " + dns.Err + " (asked " + dns.Server + ")"
}

func (f *failure) Unwrap() error { return f.cause }

// firstFailure is the first one in err, which may join those of many hosts.
func firstFailure(err error) *failure {
	var f *failure
	if !errors.As(err, &f) {
		f = newFailure("look-up", "", err)
	}
	return f
}
