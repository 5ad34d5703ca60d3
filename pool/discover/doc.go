// Package discover knows where a pool's members come from: addresses and
// sockets that are what they are, names that DNS is asked for again and again,
// SRV records.
//
// It hides when and how it is asked, what an answer means for the pool, and
// what happens when there is none. The server makes a Discover from what the
// operator wrote, gives the pool its Targets, and leaves Run running with the
// pool's Set: from then on the pool is told of the whole membership whenever
// any of it changed, and of nothing else.
//
// # What a name means
//
// Every address of a name is a member of its own, as with HAProxy's
// server-template, Envoy's STRICT_DNS and nginx's resolve. But only those of
// one family, the one this machine prefers (RFC 6724, so IPv4 where IPv6 has
// no route): a host with an A and an AAAA record is one host, and as two
// members it would get a double share, twice the connections it may have, and
// the blame for one of them if it listens on the other alone. HAProxy and
// Envoy choose one too, nginx takes both. Hosts that have only the other
// family are left out; two upstreams, one for each name, bring them in.
//
// localhost is no such name. It never moves (RFC 6761), and of its two
// addresses the application listens on whichever its runtime likes: it stays
// one member, and each new connection tries both.
//
// srv+http://name asks for the SRV records (RFC 2782) of exactly that name:
// _app._tcp.example.org, or any other, such as a service's in Consul. Port,
// weight and tier come from the record: the lowest priority number serves, all
// higher ones are one backup tier.
//
// # Promises
//
// A start with a name that cannot be resolved fails, and says which. After
// that DNS takes no member away by failing: when it does not answer, errs,
// answers nothing or says that a name it knew does not exist (which is what a
// zone half loaded or a registry restarted look like), the last good answer
// stays, is warned of once and then now and then, and counted by reason. Only
// an answer that has others changes anything.
//
// The order of the targets and their names are the same on all nodes that get
// the same answer, in whatever order it came, and an answer that says nothing
// new does nothing. set is called by one goroutine at a time, and not after
// Run returned.
//
// # Costs
//
// None for a request. For each name a goroutine, and a look-up every interval:
// two DNS questions (A, AAAA), times the search list of resolv.conf for a name
// with few dots; a dot at its end spares that. For SRV one more, and two for
// each host in the records. A change is seen an interval after DNS tells it,
// and its cache may tell it as late as the records' TTL. Given up on, a
// net.Resolver may wait on its own for some seconds more.
package discover
