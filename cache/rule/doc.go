// Package rule is RFC 9111 for a shared cache as pure functions: may this
// answer be stored, how old is it and until when is it fresh, what does this
// request accept, and which requests does a stored answer fit.
//
// It hides the grammars: Cache-Control as it is really sent, the structured
// fields of RFC 9213 (CDN-Cache-Control), three formats of dates, Vary and
// what a request's Accept-* fields amount to. The cache calls it once for an
// answer that came (Judge, AppendVary) and once for each request (Wish,
// AppendVariant). It knows no clock, no store and no goroutine.
//
// It promises: where an answer is ambiguous or broken it is stale or not
// stored at all, never fresher than it may be; two requests with the same
// variant may be given the same answer; whatever bytes come, nothing panics
// and nothing takes longer than it would to send them. Times are Unix
// milliseconds, ages and lifetimes milliseconds, unless a name says seconds.
//
// What costs what: nothing here allocates once the slices it is handed are
// large enough; a verdict is one pass over the fields, a variant one pass for
// each name.
package rule
