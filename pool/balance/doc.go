// Package balance decides which host is next.
//
// A Build turns a Set of hosts into a Picker whenever membership, weight or
// health changes; the Picker is then asked on every request, by many
// goroutines at once. All thinking belongs into Build: a Pick takes no lock,
// allocates nothing, and what it costs has a bound that the number of hosts
// does not move.
//
//	name               picks                               promises                                     a pick costs
//	round-robin        by turns                            exact counts; at any time less than          one atomic add
//	                                                       a turn off its share
//	least-connections  the least load ÷ weight             the least of all up to 32 hosts,             one add, at most 32 loads
//	                                                       of 8 that go round above
//	p2c                the less loaded of two; of unlike   by weight at rest; the fullest of n          one random number, two hosts' state
//	                     ones the less latency × (1 +      hosts is log log n above the mean;
//	                     load ÷ weight)                    a slow one as with least-latency
//	least-latency      the least latency × (1 + load ÷     leaves a slow host soon, asks it             one add, at most 16 hosts' state
//	                     weight), of 16 or 8               again by one request at a time
//	random             by chance                           the weight's probability                     one random number
//	hash               the same host for the same key      only keys of a host that leaves move;        one table entry, one load
//	                                                       nobody above 1.25 × its share
//	sticky             the host with the ID that is key    turns if it is gone                          one map lookup
//
// Weights count in all of them. What Pick reads may be a moment old, and picks
// at the same instant may see the same; nothing breaks by that, bounds are
// overshot by as many at most.
//
// A Build costs microseconds, with these exceptions: many hosts of many
// weights have many turns (up to 65,536, some milliseconds), and Hash hands out
// a table (some milliseconds, ten or so for 1,000 hosts).
//
// Latency is what least-latency and p2c go by; HashKey, ID and Next make keys.
//
// An algorithm is a file with its Build and a row in Table. The tests run over
// the table.
package balance
