// Package sessiontest is the contract of session.Store as tests, for whoever
// writes one: Run with a function that opens a store, and with what can be done
// to its server.
//
//	sessiontest.go Run, and what tests are made of; merging
//	life.go        beginnings and ends
//	moves.go       rotation, dropping, limits, two nodes, faults
package sessiontest
