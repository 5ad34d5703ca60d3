// Package route finds the route that a request takes: by host, path, method,
// header fields and query.
//
// It hides the order among routes, how they are looked up, and the spellings
// that hosts and paths have. The server calls New once for each configuration,
// the proxy calls Find once for each request; config asks New for what is
// wrong with the operator's words.
//
// # Who comes first
//
// A request takes the route that says most about it, in this order:
//
//  1. its host: exactly that, then the longest wildcard, then any host;
//  2. its path: exactly that, then regular expressions, then the longest
//     prefix (nginx's order);
//  3. conditions (method, header, query): more of them before fewer;
//  4. the order in which the routes stand.
//
// What does not fit in one place is looked for in the next: a host whose routes
// do not have the path is served by those of a wildcard, and then of any host.
//
// # What a path is
//
// A path is judged as it is meant, not as it is spelled: percent-encoding is
// decoded once, dot segments are resolved, so that neither /%61dmin nor
// /a/../admin leads past the route of /admin. But the upstream gets the path as
// it was sent, and may make another of it. There are three readings that
// origins are known for: dot segments taken as names; resolved (RFC 3986
// §5.2.4); and also with encoded slashes decoded, backslashes for slashes,
// several slashes for one and parameters (/admin;x/) cut off. Where these lead
// to different routes, the request is an attempt to be guarded by one and
// served as another, and Find says Unclear. Where they agree, as in
// /api/group%2Fproject below /api/*, it passes.
//
// It promises: a Table never changes; Find neither allocates nor locks, and
// takes time for the length of the host and the path, not for the number of
// routes. Of regular expressions those are run, of one host, that begin with ^
// and a path that this one begins with, and all that do not begin so.
//
// A look-up costs 80 to 130 ns, among 10 rules as among 10,000; a path that has
// to be read three times costs 400 ns.
//
//   - route.go: Rule, Table, Find
//   - build.go: New
//   - order.go: Order, for people
//   - rule.go, word.go: the operator's words; error.go: what is wrong with them
//   - overlap.go: rules that take the same requests
//   - tree.go: labels of hosts and segments of paths
//   - match.go: conditions
//   - reading.go: the readings of a path, the spelling of a host
package route
