// Package filter has what a route can add to the way of its requests: headers,
// paths, redirects, who may come, how often, and how answers are dressed.
//
// It hides how each of them does it. The server makes them from what the
// operator wrote, by New; the proxy asks them for each request of their route.
// A new one is a file and a row in Rows.
//
// It promises: what is wrong with a filter's options is known when it is made;
// a filter keeps nothing of an exchange, is used by many at once, and bounds
// what it remembers.
//
//   - filter.go: the table
//   - template.go: words of the operator in which a request's parts stand
//   - headers.go: fields set, added and removed
//   - path.go: prefixes and rewriting
//   - redirect.go: answers that send elsewhere
//   - stats.go: what is counted
//   - access.go: who may come, by address
//   - basic.go: who may come, by name and password
//   - cors.go: what scripts of other sites may ask
//   - compress.go: bodies encoded; accept.go: in what way; codec.go: by what
//   - hold.go: bodies of requests read before an upstream is asked
//   - rate.go: how often; times.go: counted here; shared.go: counted for all nodes
package filter
