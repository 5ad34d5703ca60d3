package rule

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"multiserver/proxy/wire"
)

// kind is how the public suite of tests for HTTP caches (http-tests/cache-tests,
// from which these cases are) rates one: what it requires, what the best do,
// and what it only would like to know.
type kind string

const (
	required kind = "required"
	optimal  kind = "optimal"
	check    kind = "check"
)

type use string

const (
	reused    use = "reused"    // without asking
	validated use = "validated" // with a condition
	asked     use = "asked"     // as if nothing were stored, or with a condition
)

// suite has a row for each test that a verdict and a wish decide: the first
// request and its answer, the pause in seconds, the second request, and what
// is to become of it. {n} is a date n seconds from now.
var suite = []struct {
	id              string
	kind            kind
	status          int
	request, answer string
	pause           int64
	again           string
	want            use
}{

	// Expires Freshness
	{"freshness-expires-future", optimal, 200, ``, `Expires: {2592000} | Date: {0}`, 3, ``, reused},
	{"freshness-expires-past", required, 200, ``, `Expires: {-2592000} | Date: {0}`, 3, ``, asked},
	{"freshness-expires-present", required, 200, ``, `Expires: {0} | Date: {0}`, 0, ``, asked},
	{"freshness-expires-old-date", required, 200, ``, `Expires: {300} | Date: {400}`, 3, ``, asked},
	{"freshness-expires-invalid", required, 200, ``, `Expires: 0 | Date: {0}`, 3, ``, asked},
	{"freshness-expires-invalid-date", optimal, 200, ``, `Date: foo | Expires: {10}`, 0, ``, reused},
	{"freshness-expires-age-slow-date", required, 200, ``, `Date: {-10} | Expires: {10} | Age: 25`, 0, ``, asked},
	{"freshness-expires-age-fast-date", required, 200, ``, `Date: {10} | Expires: {20} | Age: 15`, 0, ``, asked},

	// Expires Parsing
	{"freshness-expires-32bit", optimal, 200, ``, `Expires: Tue, 19 Jan 2038 14:14:08 GMT | Date: {0}`, 3, ``, reused},
	{"freshness-expires-far-future", optimal, 200, ``, `Expires: Sun, 21 Nov 2286 04:46:39 GMT | Date: {0}`, 3, ``, reused},
	{"freshness-expires-rfc850", optimal, 200, ``, `Expires: Thursday, 18-Aug-50 02:01:18 GMT | Date: {0}`, 3, ``, reused},
	{"freshness-expires-ansi-c", optimal, 200, ``, `Expires: Thu Aug  8 02:01:18 2050 | Date: {0}`, 3, ``, reused},
	{"freshness-expires-wrong-case-weekday", optimal, 200, ``, `Expires: THU, 18 Aug 2050 02:01:18 GMT | Date: {0}`, 3, ``, reused},
	{"freshness-expires-wrong-case-month", optimal, 200, ``, `Expires: Thu, 18 AUG 2050 02:01:18 GMT | Date: {0}`, 3, ``, reused},
	{"freshness-expires-wrong-case-tz", optimal, 200, ``, `Expires: Thu, 18 Aug 2050 02:01:18 gMT | Date: {0}`, 3, ``, reused},
	{"freshness-expires-invalid-utc", required, 200, ``, `Expires: Thu, 18 Aug 2050 02:01:18 UTC | Date: {0}`, 3, ``, asked},
	{"freshness-expires-invalid-aest", required, 200, ``, `Expires: Thu, 18 Aug 2050 02:01:18 AEST | Date: {0}`, 3, ``, asked},
	{"freshness-expires-invalid-2-digit-year", required, 200, ``, `Expires: Thu, 18 Aug 50 02:01:18 GMT | Date: {0}`, 3, ``, asked},
	{"freshness-expires-invalid-no-comma", required, 200, ``, `Expires: Thu 18 Aug 2050 02:01:18 GMT | Date: {0}`, 3, ``, asked},
	{"freshness-expires-invalid-multiple-spaces", required, 200, ``, `Expires: Thu, 18  Aug  2050 02:01:18 GMT | Date: {0}`, 0, ``, asked},
	{"freshness-expires-invalid-date-dashes", required, 200, ``, `Expires: Thu, 18-Aug-2050 02:01:18 GMT | Date: {0}`, 0, ``, asked},
	{"freshness-expires-invalid-time-periods", required, 200, ``, `Expires: Thu, 18 Aug 2050 02.01.18 GMT | Date: {0}`, 0, ``, asked},
	{"freshness-expires-invalid-1-digit-hour", required, 200, ``, `Expires: Thu, 18 Aug 2050 2:01:18 GMT | Date: {0}`, 0, ``, asked},
	{"freshness-expires-invalid-multiple-lines", required, 200, ``, `Expires: Thu, 18 Aug 2050 2:01:18 GMT | Expires: Thu, 18 Aug 2050 2:01:19 GMT | Date: {0}`, 0, ``, asked},

	// Age Parsing
	{"age-parse-nonnumeric", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: abc`, 3, ``, reused},
	{"age-parse-negative", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: -7200`, 3, ``, reused},
	{"age-parse-float", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 7200.0`, 3, ``, reused},
	{"age-parse-large-minus-one", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 2147483647`, 3, ``, asked},
	{"age-parse-large", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 2147483648`, 3, ``, asked},
	{"age-parse-larger", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 2147483649`, 3, ``, asked},
	{"age-parse-suffix", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 7200, 0`, 3, ``, asked},
	{"age-parse-prefix", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 0, 7200`, 3, ``, reused},
	{"age-parse-suffix-twoline", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 7200 | Age: 0`, 3, ``, asked},
	{"age-parse-prefix-twoline", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 0 | Age: 7200`, 3, ``, reused},
	{"age-parse-dup-0", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 0, 0`, 3, ``, reused},
	{"age-parse-dup-0-twoline", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 0 | Age: 0`, 3, ``, reused},
	{"age-parse-dup-old", required, 200, ``, `Date: {0} | Cache-Control: max-age=10000 | Age: 3600 | Age: 3600`, 3, ``, reused},
	{"age-parse-parameter", check, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 7200;foo=bar`, 3, ``, asked},
	{"age-parse-numeric-parameter", check, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 7200;foo=111`, 3, ``, asked},

	// Cache-Control Freshness
	{"freshness-none", check, 200, ``, ``, 3, ``, asked},
	{"freshness-max-age", optimal, 200, ``, `Cache-Control: max-age=3600`, 3, ``, reused},
	{"freshness-max-age-stale", required, 200, ``, `Cache-Control: max-age=2 | Date: {0} | Template-A: 1`, 3, ``, asked},
	{"freshness-max-age-0", required, 200, ``, `Cache-Control: max-age=0`, 3, ``, asked},
	{"freshness-max-age-max-minus-1", optimal, 200, ``, `Cache-Control: max-age=2147483647`, 3, ``, reused},
	{"freshness-max-age-max", optimal, 200, ``, `Cache-Control: max-age=2147483648`, 3, ``, reused},
	{"freshness-max-age-max-plus-1", optimal, 200, ``, `Cache-Control: max-age=2147483649`, 3, ``, reused},
	{"freshness-max-age-max-plus", optimal, 200, ``, `Cache-Control: max-age=99999999999`, 3, ``, reused},
	{"freshness-max-age-age", required, 200, ``, `Date: {0} | Cache-Control: max-age=3600 | Age: 7200`, 3, ``, asked},
	{"freshness-max-age-date", check, 200, ``, `Date: {-7200} | Cache-Control: max-age=3600`, 3, ``, asked},
	{"freshness-max-age-expires", optimal, 200, ``, `Cache-Control: max-age=3600 | Expires: {-7200} | Date: {0}`, 3, ``, reused},
	{"freshness-max-age-expires-invalid", optimal, 200, ``, `Cache-Control: max-age=3600 | Expires: 0 | Date: {0}`, 3, ``, reused},
	{"freshness-max-age-0-expires", required, 200, ``, `Expires: {3600} | Cache-Control: max-age=0 | Date: {0}`, 3, ``, asked},
	{"freshness-max-age-extension", optimal, 200, ``, `Cache-Control: foobar, max-age=3600`, 3, ``, reused},
	{"freshness-max-age-case-insenstive", optimal, 200, ``, `Cache-Control: MaX-aGe=3600`, 3, ``, reused},
	{"freshness-max-age-negative", required, 200, ``, `Cache-Control: max-age=-3600`, 3, ``, asked},
	{"freshness-s-maxage-shared", required, 200, ``, `Cache-Control: s-maxage=3600`, 3, ``, reused},
	{"freshness-max-age-s-maxage-shared-longer", required, 200, ``, `Cache-Control: max-age=3600, s-maxage=1`, 3, ``, asked},
	{"freshness-max-age-s-maxage-shared-longer-reversed", required, 200, ``, `Cache-Control: s-maxage=1, max-age=3600`, 3, ``, asked},
	{"freshness-max-age-s-maxage-shared-longer-multiple", required, 200, ``, `Cache-Control: max-age=3600 | Cache-Control: s-maxage=1`, 3, ``, asked},
	{"freshness-max-age-s-maxage-shared-shorter", optimal, 200, ``, `Cache-Control: max-age=1, s-maxage=3600`, 3, ``, reused},
	{"freshness-max-age-s-maxage-shared-shorter-expires", optimal, 200, ``, `Expires: {-10} | Cache-Control: max-age=0, s-maxage=3600`, 3, ``, reused},

	// Cache-Control Parsing
	{"freshness-max-age-two-fresh-stale-sameline", check, 200, ``, `Cache-Control: max-age=1800, max-age=1`, 3, ``, reused},
	{"freshness-max-age-two-fresh-stale-sepline", check, 200, ``, `Cache-Control: max-age=1800 | Cache-Control: max-age=1`, 3, ``, reused},
	{"freshness-max-age-two-stale-fresh-sameline", check, 200, ``, `Cache-Control: max-age=1, max-age=1800`, 3, ``, asked}, // the first of several counts
	{"freshness-max-age-two-stale-fresh-sepline", check, 200, ``, `Cache-Control: max-age=1 | Cache-Control: max-age=1800`, 3, ``, asked},
	{"freshness-max-age-quoted", check, 200, ``, `Cache-Control: max-age="3600"`, 3, ``, reused},
	{"freshness-max-age-ignore-quoted", required, 200, ``, `Cache-Control: extension="max-age=3600", max-age=1`, 3, ``, asked},
	{"freshness-max-age-ignore-quoted-rev", required, 200, ``, `Cache-Control: max-age=1, extension="max-age=3600"`, 3, ``, asked},
	{"freshness-max-age-space-before-equals", check, 200, ``, `Cache-Control: max-age =3600`, 3, ``, asked},
	{"freshness-max-age-space-after-equals", check, 200, ``, `Cache-Control: max-age= 3600`, 3, ``, asked},
	{"freshness-max-age-leading-zero", required, 200, ``, `Cache-Control: max-age=003600`, 3, ``, reused},
	{"freshness-max-age-single-quoted", required, 200, ``, `Cache-Control: max-age='3600'`, 3, ``, asked},
	{"freshness-max-age-decimal-zero", check, 200, ``, `Cache-Control: max-age=3600.0`, 3, ``, asked}, // what cannot be read is stale
	{"freshness-max-age-decimal-five", check, 200, ``, `Cache-Control: max-age=3600.5`, 3, ``, asked},
	{"freshness-max-age-a100", check, 200, ``, `Cache-Control: max-age=a3600`, 3, ``, asked},
	{"freshness-max-age-100a", check, 200, ``, `Cache-Control: max-age=3600a`, 3, ``, asked},

	// Cache-Control Response Directives
	{"cc-resp-private-shared", required, 200, ``, `Cache-Control: private, max-age=3600`, 0, ``, asked},
	{"cc-resp-no-store", required, 200, ``, `Cache-Control: no-store`, 0, ``, asked},
	{"cc-resp-no-store-case-insensitive", required, 200, ``, `Cache-Control: No-StOrE`, 0, ``, asked},
	{"cc-resp-no-store-fresh", required, 200, ``, `Cache-Control: max-age=10000, no-store | Expires: {10000} | Date: {0}`, 0, ``, asked},
	{"cc-resp-no-cache", required, 200, ``, `Cache-Control: max-age=10000, no-cache | Expires: {10000} | Date: {0}`, 0, ``, asked},
	{"cc-resp-no-cache-case-insensitive", required, 200, ``, `Cache-Control: max-age=10000, No-CaChE | Expires: {10000} | Date: {0}`, 0, ``, asked},
	{"cc-resp-no-cache-revalidate", optimal, 200, ``, `Cache-Control: no-cache | ETag: "abcd"`, 0, ``, validated},
	{"cc-resp-no-cache-revalidate-fresh", optimal, 200, ``, `Cache-Control: max-age=10000, no-cache | Expires: {10000} | Date: {0} | ETag: "abcd"`, 0, ``, validated},
	{"headers-omit-headers-listed-in-Cache-Control-no-cache-single", check, 200, ``, `Cache-Control: no-cache="a" | a: 1 | b: 2 | Cache-Control: max-age=3600 | Date: {0}`, 3, ``, reused},
	{"headers-omit-headers-listed-in-Cache-Control-no-cache", check, 200, ``, `Cache-Control: no-cache="a, b" | a: 1 | b: 2 | c: 3 | Cache-Control: max-age=3600 | Date: {0}`, 3, ``, reused},
	{"cc-resp-must-revalidate-fresh", optimal, 200, ``, `Cache-Control: max-age=10000, must-revalidate | ETag: "abcd"`, 0, ``, reused},
	{"cc-resp-must-revalidate-stale", required, 200, ``, `Cache-Control: max-age=2, must-revalidate | ETag: "abcd"`, 0, ``, reused},

	// Heuristic Freshness
	{"heuristic-200-cached", optimal, 200, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-201-not_cached", required, 201, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, asked},
	{"heuristic-202-not_cached", required, 202, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, asked},
	{"heuristic-203-cached", optimal, 203, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-204-cached", optimal, 204, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-403-not_cached", required, 403, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, asked},
	{"heuristic-404-cached", optimal, 404, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-405-cached", optimal, 405, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-410-cached", optimal, 410, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-414-cached", optimal, 414, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-501-cached", optimal, 501, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, reused},
	{"heuristic-502-not_cached", required, 502, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, asked},
	{"heuristic-503-not_cached", required, 503, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, asked},
	{"heuristic-504-not_cached", required, 504, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, asked},
	{"heuristic-599-not_cached", required, 599, ``, `Last-Modified: {-86400} | Date: {0}`, 0, ``, asked},
	{"heuristic-599-cached", optimal, 599, ``, `Last-Modified: {-86400} | Date: {0} | Cache-Control: public`, 0, ``, reused},
	{"heuristic-delta-5", check, 200, ``, `Last-Modified: {-5} | Date: {0}`, 3, ``, asked}, // a tenth is less than the pause
	{"heuristic-delta-10", check, 200, ``, `Last-Modified: {-10} | Date: {0}`, 3, ``, asked},
	{"heuristic-delta-30", check, 200, ``, `Last-Modified: {-30} | Date: {0}`, 3, ``, asked},
	{"heuristic-delta-60", check, 200, ``, `Last-Modified: {-60} | Date: {0}`, 3, ``, reused},
	{"heuristic-delta-300", check, 200, ``, `Last-Modified: {-300} | Date: {0}`, 3, ``, reused},
	{"heuristic-delta-600", check, 200, ``, `Last-Modified: {-600} | Date: {0}`, 3, ``, reused},
	{"heuristic-delta-1200", check, 200, ``, `Last-Modified: {-1200} | Date: {0}`, 3, ``, reused},
	{"heuristic-delta-1800", check, 200, ``, `Last-Modified: {-1800} | Date: {0}`, 3, ``, reused},
	{"heuristic-delta-3600", check, 200, ``, `Last-Modified: {-3600} | Date: {0}`, 3, ``, reused},
	{"heuristic-delta-43200", check, 200, ``, `Last-Modified: {-43200} | Date: {0}`, 3, ``, reused},
	{"heuristic-delta-86400", check, 200, ``, `Last-Modified: {-86400} | Date: {0}`, 3, ``, reused},

	// Status Code Cacheability
	{"status-200-fresh", optimal, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-200-stale", required, 200, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-203-fresh", optimal, 203, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-203-stale", required, 203, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-204-fresh", optimal, 204, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-204-stale", required, 204, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-299-fresh", optimal, 299, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-299-stale", required, 299, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-301-fresh", optimal, 301, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-301-stale", required, 301, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-302-fresh", optimal, 302, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-302-stale", required, 302, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-303-fresh", optimal, 303, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-303-stale", required, 303, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-307-fresh", optimal, 307, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-307-stale", required, 307, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-308-fresh", optimal, 308, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-308-stale", required, 308, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-400-fresh", optimal, 400, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-400-stale", required, 400, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-404-fresh", optimal, 404, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-404-stale", required, 404, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-410-fresh", optimal, 410, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-410-stale", required, 410, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-499-fresh", optimal, 499, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-499-stale", required, 499, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-500-fresh", optimal, 500, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-500-stale", required, 500, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-502-fresh", optimal, 502, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-502-stale", required, 502, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-503-fresh", optimal, 503, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-503-stale", required, 503, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-504-fresh", optimal, 504, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-504-stale", required, 504, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-599-fresh", optimal, 599, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"status-599-stale", required, 599, ``, `Expires: {-5000} | Last-Modified: {-100000} | Date: {0}`, 3, ``, asked},
	{"status-599-must-understand", required, 599, ``, `Cache-Control: max-age=3600, no-store, must-understand`, 0, ``, asked},
	{"status-200-must-understand", optimal, 200, ``, `Cache-Control: max-age=3600, no-store, must-understand`, 0, ``, reused},

	// CDN-Cache-Control
	{"cdn-max-age", optimal, 200, ``, `CDN-Cache-Control: max-age=3600`, 3, ``, reused},
	{"cdn-max-age-max", optimal, 200, ``, `CDN-Cache-Control: max-age=2147483648`, 3, ``, reused},
	{"cdn-max-age-max-plus", optimal, 200, ``, `CDN-Cache-Control: max-age=99999999999`, 3, ``, reused},
	{"cdn-max-age-age", required, 200, ``, `Date: {0} | CDN-Cache-Control: max-age=3600 | Age: 7200`, 3, ``, asked},
	{"cdn-max-age-space-before-equals", check, 200, ``, `Cache-Control: max-age=1 | CDN-Cache-Control: max-age =100`, 3, ``, asked},
	{"cdn-max-age-space-after-equals", check, 200, ``, `Cache-Control: max-age=1 | CDN-Cache-Control: max-age= 100`, 3, ``, asked},
	{"cdn-max-age-0", required, 200, ``, `CDN-Cache-Control: max-age=0`, 3, ``, asked},
	{"cdn-max-age-extension", optimal, 200, ``, `CDN-Cache-Control: foobar, max-age=3600`, 3, ``, reused},
	{"cdn-max-age-case-insensitive", check, 200, ``, `CDN-Cache-Control: MaX-aGe=3600`, 3, ``, asked}, // RFC 9651 keys are in lower case
	{"cdn-max-age-expires", optimal, 200, ``, `CDN-Cache-Control: max-age=3600 | Expires: {-10000} | Date: {0}`, 3, ``, reused},
	{"cdn-max-age-cc-max-age-invalid-expires", optimal, 200, ``, `CDN-Cache-Control: max-age=3600 | Expires: 0 | Date: {0}`, 3, ``, reused},
	{"cdn-max-age-0-expires", required, 200, ``, `CDN-Cache-Control: max-age=0 | Expires: {10000} | Date: {0}`, 3, ``, asked},
	{"cdn-max-age-short-cc-max-age", optimal, 200, ``, `Cache-Control: max-age=1 | CDN-Cache-Control: max-age=3600`, 3, ``, reused},
	{"cdn-max-age-long-cc-max-age", required, 200, ``, `Cache-Control: max-age=3600 | CDN-Cache-Control: max-age=1`, 3, ``, asked},
	{"cdn-private", required, 200, ``, `CDN-Cache-Control: private | Cache-Control: max-age=10000 | Expires: {10000} | Date: {0}`, 0, ``, asked},
	{"cdn-no-cache", required, 200, ``, `CDN-Cache-Control: no-cache | Cache-Control: max-age=10000 | Expires: {10000} | Date: {0}`, 0, ``, asked},
	{"cdn-no-store-cc-fresh", required, 200, ``, `Cache-Control: max-age=10000 | CDN-Cache-Control: no-store | Expires: {10000} | Date: {0}`, 3, ``, asked},
	{"cdn-fresh-cc-nostore", required, 200, ``, `Cache-Control: no-store | CDN-Cache-Control: max-age=10000`, 3, ``, reused},
	{"cdn-cc-invalid-sh-type-unknown", required, 200, ``, `CDN-Cache-Control: max-age=10000, &&&&& | Cache-Control: no-store`, 3, ``, asked},
	{"cdn-cc-invalid-sh-type-wrong", required, 200, ``, `CDN-Cache-Control: max-age="10000" | Cache-Control: no-store`, 3, ``, asked},

	// Storing Respones to Authenticated Requests
	{"other-authorization", required, 200, `Authorization: FOO`, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, asked},
	{"other-authorization-public", optimal, 200, `Authorization: FOO`, `Cache-Control: max-age=3600, public | Date: {0}`, 3, ``, reused},
	{"other-authorization-must-revalidate", optimal, 200, `Authorization: FOO`, `Cache-Control: max-age=3600, must-revalidate | Date: {0}`, 3, ``, reused},
	{"other-authorization-smaxage", optimal, 200, `Authorization: FOO`, `Cache-Control: s-maxage=3600 | Date: {0}`, 3, ``, reused},

	// Pragma
	{"pragma-request-no-cache", check, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, `Pragma: no-cache`, asked}, // honoured, RFC 9111 §5.4
	{"pragma-request-extension", check, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, `Pragma: unrecognised-extension`, reused},
	{"pragma-response-no-cache", check, 200, ``, `Cache-Control: max-age=3600 | Pragma: no-cache`, 0, ``, reused},
	{"pragma-response-no-cache-heuristic", check, 200, ``, `Date: {0} | Last-Modified: {-10000} | Pragma: no-cache`, 0, ``, reused},
	{"pragma-response-extension", check, 200, ``, `Cache-Control: max-age=3600 | Pragma: unrecognised-extension`, 0, ``, reused},

	// Other Caching Requirements
	{"other-age-update-expires", required, 200, ``, `Expires: {2592000} | Date: {0} | Age: 30`, 3, ``, reused},
	{"other-age-update-max-age", required, 200, ``, `Cache-Control: max-age=100000 | Date: {0} | Age: 30`, 3, ``, reused},
	{"other-date-update", required, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, ``, reused},
	{"other-date-update-expires", required, 200, ``, `Expires: {2592000} | Date: {0}`, 3, ``, reused},
	{"other-date-update-expires-update", check, 200, ``, `Expires: {2592000} | Date: {0}`, 3, ``, reused},
	{"other-heuristic-content-disposition-attachment", check, 200, ``, `Last-Modified: {-100000} | Date: {0} | Content-Disposition: attachment; filename=example.txt`, 0, ``, reused},
	{"other-fresh-content-disposition-attachment", check, 200, ``, `Cache-Control: max-age=100000 | Date: {0} | Content-Disposition: attachment; filename=example.txt`, 3, ``, reused},
	{"other-set-cookie", optimal, 200, ``, `Cache-Control: max-age=100000 | Date: {0} | Set-Cookie: a=b`, 3, ``, reused},
	{"other-cookie", optimal, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, `Cookie: a=b`, reused},

	// Serving Stale
	{"stale-while-revalidate", optimal, 200, ``, `Cache-Control: max-age=1, stale-while-revalidate=3600 | ETag: "abc"`, 3, ``, reused},
	{"stale-while-revalidate-window", required, 200, ``, `Cache-Control: max-age=1, stale-while-revalidate=4 | ETag: "abc"`, 3, ``, reused},

	// Cache-Control Request Directives
	{"ccreq-ma0", check, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, `Cache-Control: max-age=0`, asked},
	{"ccreq-ma1", check, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, `Cache-Control: max-age=1`, asked},
	{"ccreq-magreaterage", check, 200, ``, `Cache-Control: max-age=100000 | Date: {0} | Age: 1800`, 3, `Cache-Control: max-age=600`, asked},
	{"ccreq-max-stale", check, 200, ``, `Cache-Control: max-age=2 | Date: {0} | Template-A: 1`, 3, `Cache-Control: max-stale=1000`, reused},
	{"ccreq-max-stale-age", check, 200, ``, `Cache-Control: max-age=1500 | Age: 2000`, 0, `Cache-Control: max-stale=1000`, reused},
	{"ccreq-min-fresh", check, 200, ``, `Cache-Control: max-age=1500`, 0, `Cache-Control: min-fresh=2000`, asked},
	{"ccreq-min-fresh-age", check, 200, ``, `Cache-Control: max-age=1500 | Age: 1000`, 0, `Cache-Control: min-fresh=1000`, asked},
	{"ccreq-no-cache", check, 200, ``, `Cache-Control: max-age=3600`, 0, `Cache-Control: no-cache`, asked},
	{"ccreq-no-cache-lm", check, 200, ``, `Cache-Control: max-age=3600 | Last-Modified: {-10000} | Date: {0}`, 0, `Cache-Control: no-cache`, validated},
	{"ccreq-no-cache-etag", check, 200, ``, `Cache-Control: max-age=3600 | ETag: "aiqygowemucksai"`, 0, `Cache-Control: no-cache`, validated},
	{"ccreq-no-store", check, 200, ``, `Cache-Control: max-age=100000 | Date: {0}`, 3, `Cache-Control: no-store`, reused}, // RFC 9111 §5.2.1.5: what is stored already may be used
}

func TestCacheTestsSuite(t *testing.T) {
	r := Rules{Targets: []string{"cdn-cache-control"}}
	for _, c := range suite {
		res := answer(t, c.status, strings.Split(dated(c.answer, now), " | ")...)
		var terms Terms
		r.Judge(&terms, request(t, strings.Split(c.request, " | ")...), res, now-20, now)
		var w Wish
		w.Read(request(t, strings.Split(c.again, " | ")...))
		if got := used(&terms, &w, res, now+c.pause*1000); got != c.want && !(got == validated && c.want == asked) {
			t.Errorf("%s (%s): %s, want %s: %s %+v", c.id, c.kind, got, c.want, c.answer, terms)
		}
	}
}

func used(t *Terms, w *Wish, res *wire.Response, now int64) use {
	grace := t.While
	if t.Strict {
		grace = -1
	}
	switch {
	case t.Why != Storable:
		return asked
	case !t.Always && w.Takes(t.Born, t.Until, grace, now):
		return reused
	case res.Peek("etag") != nil || res.Peek("last-modified") != nil:
		return validated
	}
	return asked
}

// dated puts dates for {n}.
func dated(s string, now int64) string {
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return s
		}
		j := i + strings.IndexByte(s[i:], '}')
		var n int64
		fmt.Sscan(s[i+1:j], &n)
		s = s[:i] + time.Unix(now/1000+n, 0).UTC().Format(http.TimeFormat) + s[j+1:]
	}
}
