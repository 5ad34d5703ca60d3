// Package balance decides which host is next.
//
// A Build turns a set of hosts into a Picker whenever membership, weight or
// health changes; the Picker is then asked on every request, by many
// goroutines at once. All thinking belongs into Build: a Pick takes no lock,
// allocates nothing and costs a few nanoseconds whatever the number of hosts.
//
// An algorithm is a file with its Build and a row in Table. The tests run over
// the table.
package balance
