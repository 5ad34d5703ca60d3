package filter

import (
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"time"

	"multiserver/proxy"
)

// rate bounds how often one client, or whoever is told apart by something else,
// may come: by GCRA, a token bucket that is one number for each of them. The
// number is a time, in which all that was asked for so far would have been
// asked for at an even pace. Here it lasts until the next reload.
type rate struct {
	proxy.Pass
	by     func(x *proxy.Exchange) []byte // nil: client
	shared *shared                        // counts for all nodes; nil: each counts for itself
	away   string                         // what is done while that is away: local, open, closed
	each   time.Duration                  // between two requests, at an even pace
	burst  int
	window time.Duration // in which a whole burst grows again
	policy []byte
	said   string // what tells clients apart, as the operator wrote it
	table  *times
	seed   maphash.Seed // so that nobody can choose to be taken for another
	now    func() time.Time
}

func newRate(o Options) (proxy.Filter, error) {
	said := struct {
		Rate    string  `yaml:"rate"`
		Burst   int     `yaml:"burst"`
		By      string  `yaml:"by"`
		Sharing sharing `yaml:",inline"`
	}{By: "client", Sharing: usualSharing}
	if err := o.Decode(&said); err != nil {
		return nil, err
	}
	n, per, err := parseRate(said.Rate)
	if err != nil {
		return nil, err
	}
	if said.Burst == 0 {
		said.Burst = max(1, n)
	}
	if said.Burst < 1 || said.Burst > 1_000_000 {
		return nil, fmt.Errorf("burst %d: want 1 to 1000000", said.Burst)
	}
	by, err := parseBy(said.By)
	if err != nil {
		return nil, err
	}
	f := &rate{by: by, each: per / time.Duration(n), burst: said.Burst, away: said.Sharing.Away, seed: maphash.MakeSeed(), now: time.Now, said: said.By, table: new(times)}
	if f.shared, err = newShared(o, &said.Sharing); err != nil {
		return nil, err
	}
	f.window = f.each * time.Duration(f.burst)
	f.policy = fmt.Appendf(nil, "%d;w=%d", f.burst, max(1, int(f.window.Seconds())))
	return f, nil
}

// parseRate reads 10/s, 100/m, 1000/h.
func parseRate(s string) (n int, per time.Duration, err error) {
	count, unit, _ := strings.Cut(s, "/")
	n, err = strconv.Atoi(count)
	per = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if err != nil || n < 1 || n > 1_000_000 || per == 0 {
		return 0, 0, fmt.Errorf("rate %q: want requests in a time, such as 10/s, 100/m or 1000/h", s)
	}
	return n, per, nil
}

// parseBy reads what tells clients apart.
func parseBy(s string) (func(x *proxy.Exchange) []byte, error) {
	kind, name, _ := strings.Cut(s, ":")
	switch {
	case s == "client":
		return nil, nil
	case s == "route":
		return func(*proxy.Exchange) []byte { return []byte("*") }, nil
	case kind == "header" && name != "":
		lower := strings.ToLower(name)
		return func(x *proxy.Exchange) []byte { return x.Req.Peek(lower) }, nil
	case kind == "cookie" && name != "":
		return func(x *proxy.Exchange) []byte { return x.Cookie(name) }, nil
	}
	return nil, fmt.Errorf("by %q: want client, route, header:NAME or cookie:NAME", s)
}

// who appends what tells clients apart. Who does not say what is asked for is
// told apart by the address: else nobody would say it. Of IPv6 a client has
// 2^64 addresses.
func (f *rate) who(dst []byte, x *proxy.Exchange) []byte {
	if f.by != nil {
		if v := f.by(x); len(v) > 0 {
			return append(append(dst, '='), v...)
		}
	}
	a := x.Addr()
	if !a.IsValid() {
		return append(dst, '?')
	}
	b := a.As16()
	if a.Is6() {
		clear(b[8:])
	}
	return append(append(dst, '@'), b[:]...)
}

// Inherit goes on with what a limit has counted whose place f takes, at whatever
// rate: a reload is no way out of it.
func (f *rate) Inherit(old proxy.Filter) {
	if o, ok := old.(*rate); ok && o.said == f.said {
		f.table, f.seed = o.table, o.seed
	}
}

func (f *rate) Request(x *proxy.Exchange) bool {
	left, wait, ok := f.take(x)
	switch {
	case !ok && f.away == "open":
		return true
	case !ok:
		return x.Answer(503, "rates cannot be looked up")
	}
	f.say(x, left, wait)
	if wait <= 0 {
		return true
	}
	t := x.Tell()
	t.Drop("retry-after")
	t.Begin("Retry-After")
	t.End(strconv.AppendInt(t.Value(), seconds(wait), 10))
	return x.Answer(429, "too many requests")
}

// take asks for one more. wait, if not 0, is how long until there may be one;
// left is how many more there may be at once. Not ok: nobody knows.
func (f *rate) take(x *proxy.Exchange) (left int64, wait time.Duration, ok bool) {
	var buf [64]byte
	who := f.who(buf[:0], x)
	if f.shared != nil {
		left, wait, ok = f.shared.take(who, f.each, f.window)
		if !ok {
			Stats.Unknown.Add(1)
		}
		if ok || f.away != "local" {
			return left, wait, ok
		}
	}
	left, wait = f.table.take(maphash.Bytes(f.seed, who), f.now().UnixNano(), int64(f.each), int64(f.window))
	return left, wait, true
}

// say tells the client how it stands, in the fields of
// draft-ietf-httpapi-ratelimit-headers-03, which most clients know.
func (f *rate) say(x *proxy.Exchange, left int64, wait time.Duration) {
	t := x.Tell()
	t.Drop("ratelimit-*") // of an app, or of a filter before this one
	t.Begin("RateLimit-Limit")
	t.End(strconv.AppendInt(t.Value(), int64(f.burst), 10))
	t.Begin("RateLimit-Remaining")
	t.End(strconv.AppendInt(t.Value(), left, 10))
	t.Begin("RateLimit-Reset")
	t.End(strconv.AppendInt(t.Value(), seconds(f.window-time.Duration(left)*f.each), 10))
	t.Add("RateLimit-Policy", f.policy)
}

func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
