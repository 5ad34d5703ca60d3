// Package h2spectest asks the program what h2spec asks of servers of HTTP/2, all
// of it, in the clear with prior knowledge and by TLS. It is a module of its own,
// so that nothing else has to carry h2spec; scripts/test runs it, and
// scripts/h2spec shows what is asked.
package h2spectest
