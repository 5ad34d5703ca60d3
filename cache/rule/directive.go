package rule

import "multiserver/proxy/wire"

// directive is one that a shared cache knows; others it must ignore (RFC 9111
// §5.2.3).
type directive uint8

const (
	maxAge directive = iota // up to here: with a number of seconds
	sMaxAge
	staleWhile   // RFC 5861
	staleIfError // RFC 5861
	noCache      // up to here: alone, or with names of fields
	private
	noStore // up to here: alone
	public
	mustRevalidate
	proxyRevalidate
	mustUnderstand
	unknown

	numbers = noCache
	listed  = noStore
)

var directiveNames = [unknown]string{
	"max-age", "s-maxage", "stale-while-revalidate", "stale-if-error", "no-cache", "private",
	"no-store", "public", "must-revalidate", "proxy-revalidate", "must-understand",
}

func directiveOf(name []byte) directive {
	for d, n := range directiveNames {
		if wire.EqualFold(name, n) {
			return directive(d)
		}
	}
	return unknown
}

// directives are what an answer says, in Cache-Control or in a field that
// takes its place.
type directives struct {
	said    uint16 // a bit for each directive; of no-cache and private only where they name no fields
	broken  bool   // some member is not one
	seconds [numbers]int64
}

func (d *directives) has(k directive) bool { return d.said&(1<<k) != 0 }

// read takes in one line of Cache-Control. Lists of names go to t.Drop.
func (d *directives) read(line []byte, t *Terms) {
	var m member
	for l := (lexer{line}); l.next(&m); {
		if m.form == broken {
			d.broken = true
			continue
		}
		switch k := directiveOf(m.name); {
		case k < numbers:
			d.number(k, m.arg)
		case k < listed:
			d.list(k, &m, t)
		case k < unknown:
			d.said |= 1 << k // an argument that it does not have changes nothing
		}
	}
}

// number keeps the first of several, as RFC 9111 §4.2.1 allows. One that
// cannot be read is 0, which is stale at once and allows nothing behind that.
func (d *directives) number(k directive, arg []byte) {
	if d.has(k) {
		return
	}
	d.said |= 1 << k
	d.seconds[k], _ = delta(arg)
}

// list keeps the names that no-cache or private are confined to. A list that
// cannot be read confines nothing.
func (d *directives) list(k directive, m *member, t *Terms) {
	if m.form == bare || !validNames(m.arg) {
		d.said |= 1 << k
		return
	}
	t.Drop = append(t.Drop, m.arg)
}
