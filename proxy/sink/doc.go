// Package sink is where the lines of a log go: a file, standard output, or
// syslog.
//
// It hides files that are moved away and opened anew, connections that break,
// and the frames of RFC 5424. Its one user is the goroutine of a log: Write takes
// whole lines, tells how many of the bytes are certain to have arrived, and waits
// for a limited time only where what it writes to can be waited for with a limit
// (a disk cannot). Reopen may come from any goroutine, and takes effect with the
// next Write.
//
// A message to syslog costs a system call by datagram, and a batch of them one by
// TCP.
//
//	file.go     a file, and its successor
//	syslog.go   messages of RFC 5424, and what they go by
package sink
