// Package hubtest holds a broker against its contract: hub.Broker says it, and
// each broker's test runs it against real servers.
//
//	stage.go   what a broker's test brings along, and who listens
//	suite.go   the promises, without history
//	history.go and with
//	faults.go  the same while servers die and come back
package hubtest
