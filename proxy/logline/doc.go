// Package logline is the lines of an access log, whatever they are about: what
// must not be said in them, how values are written so that they stay in their
// place, and a queue that nobody waits in.
//
// It hides which names are those of secrets, how quotes are kept shut, when a
// second is over, and the goroutine that writes. A proxy calls it once for each
// exchange, at its end, with bytes that clients have sent.
//
// It promises that nothing a client sends ends a value's quotes or its line, that
// the values of what is secret by its name are never appended, and that Append
// and Take wait for no I/O: lines that a slow disk has no room for are dropped
// and counted, by why.
//
// All of it appends to what it is given, and allocates nothing. Of 40 bytes, to
// look for what quotes cannot hold takes 20 ns, for secret parameters 150; to queue
// a line takes 12. A system call comes for each 128 KiB, or tenth of a second.
//
//	queue.go   lines that wait to be written
//	secret.go  what must not be said
//	quote.go   text in quotes
//	time.go    when, and for how long
package logline
