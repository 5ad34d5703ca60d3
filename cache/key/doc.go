// Package key says under which name an answer is stored, whether it may be
// stored under it at all, and which stored names a reference means.
//
// It hides the spelling of hosts and ports, the grammar of references (RFC
// 3986), and the operator's rules and patterns. The cache's front asks it once
// for every request: Rules.Append, Filter.Allows; and after an unsafe request
// for each Location and Content-Location: Rules.Resolve.
//
//	http://example.org/a?b=c        the key: scheme, host, path and query
//	https://example.org:8443/       the port where it is not the scheme's
//
// It promises: two requests have one key only if the origin is asked for the
// same bytes on the same host, unless the operator's Rules say that these bytes
// do not matter. Hosts are compared as DNS does, paths are not touched: what
// "%41" or "a/../b" means is the origin's to decide, and a cache that decides
// otherwise answers with something else than was asked for. Where a second
// reading matters for what may be cached, Filter looks at both.
//
// What costs what: Append is one copy, and one more pass over a query if there
// are rules for it; Allows is a comparison for each pattern, a regular
// expression costs what it costs (linear in the path). Neither allocates.
package key
