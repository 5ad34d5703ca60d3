package discover

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// zone is a DNS server on loopback, as small as one can be: RFC 1035 by hand.
type zone struct {
	pc    net.PacketConn
	group sync.WaitGroup

	mu     sync.Mutex
	data   map[string][][]byte // guarded by mu; RDATA by "name. type"
	rcode  byte                // guarded by mu; of all answers, unless 0
	silent bool                // guarded by mu
	asking []net.Conn          // guarded by mu; of resolvers
	closed bool                // guarded by mu
}

// The types and codes that are spoken here.
const (
	typeA, typeAAAA, typeSRV = 1, 28, 33
	servfail, nxdomain       = 2, 3
)

func newZone(t *testing.T) *zone {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{pc: pc, data: map[string][][]byte{}}
	z.group.Go(z.serve)
	t.Cleanup(z.close)
	return z
}

// close also ends what net.Resolver goes on waiting for when its caller has
// given up.
func (z *zone) close() {
	z.pc.Close()
	z.group.Wait()
	z.mu.Lock()
	defer z.mu.Unlock()
	z.closed = true
	for _, nc := range z.asking {
		nc.Close()
	}
}

// resolver is the real one, asking z.
func (z *zone) resolver() *net.Resolver { return &net.Resolver{PreferGo: true, Dial: z.dial} }

func (z *zone) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	nc, err := d.DialContext(ctx, "udp", z.pc.LocalAddr().String())
	if err != nil {
		return nil, err
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.closed {
		nc.Close()
		return nil, net.ErrClosed
	}
	z.asking = append(z.asking, nc)
	return nc, nil
}

func key(name string, kind uint16) string {
	return strings.ToLower(name) + string(rune('0'+kind))
}

func (z *zone) set(name string, kind uint16, data ...[]byte) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.data[key(name, kind)] = data
}

func (z *zone) fail(rcode byte, silent bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.rcode, z.silent = rcode, silent
}

func (z *zone) serve() {
	in := make([]byte, 1500)
	for {
		n, from, err := z.pc.ReadFrom(in)
		if err != nil {
			return
		}
		if out := z.answer(in[:n]); out != nil {
			z.pc.WriteTo(out, from)
		}
	}
}

// answer is for a query of one question without compression, as all are.
func (z *zone) answer(q []byte) []byte {
	name, end := "", 12
	for q[end] != 0 {
		n := int(q[end])
		name += string(q[end+1:end+1+n]) + "."
		end += 1 + n
	}
	kind := binary.BigEndian.Uint16(q[end+1:])
	end += 5

	z.mu.Lock()
	defer z.mu.Unlock()
	if z.silent {
		return nil
	}
	data := z.data[key(name, kind)]
	rcode := z.rcode
	if rcode == 0 && !z.knows(name) {
		rcode = nxdomain
	}
	if rcode != 0 {
		data = nil
	}
	out := append([]byte{q[0], q[1], 0x81, 0x80 | rcode, 0, 1, 0, byte(len(data)), 0, 0, 0, 0}, q[12:end]...)
	for _, d := range data {
		out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 1, 0, byte(len(d)))
		out = append(out, d...)
	}
	return out
}

// knows: a name without data of a type exists all the same. Called with mu held.
func (z *zone) knows(name string) bool {
	for _, kind := range []uint16{typeA, typeAAAA, typeSRV} {
		if len(z.data[key(name, kind)]) > 0 {
			return true
		}
	}
	return false
}

func ip(s string) []byte { return netip.MustParseAddr(s).AsSlice() }

func record(priority, weight, port uint16, target string) []byte {
	var b []byte
	for _, n := range []uint16{priority, weight, port} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(target, "."), ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

// What a real resolver makes of real answers: what is not found, what failed,
// what is too late, half answers, IPv4 in IPv6.
func TestRealResolver(t *testing.T) {
	z := newZone(t)
	z.set("app.test.", typeA, ip("127.0.0.3"), ip("127.0.0.2"))
	z.set("both.test.", typeA, ip("127.0.0.2"))
	z.set("both.test.", typeAAAA, ip("::1"))
	z.set("_app._tcp.test.", typeSRV, record(2, 5, 3002, "app.test."), record(1, 0, 3001, "both.test."))
	urls := []string{"http://app.test:3000", "srv+http://_app._tcp.test", "http://both.test."}
	o := Options{Resolver: z.resolver(), Timeout: 5 * time.Second}
	d, err := New(t.Context(), specs(urls...), o)
	if err != nil {
		t.Fatal(err)
	}
	both := "[::1]"
	if d.members[2][0].Addr == "127.0.0.2:80" {
		both = "127.0.0.2" // a machine without IPv6
	}
	same(t, "members", addrs(d.Targets()), "127.0.0.2:3000 127.0.0.3:3000 "+
		both+":3001 127.0.0.2:3002*5/backup 127.0.0.3:3002*5/backup "+both+":80")

	w := d.watches[0]
	look := func(want string, reason Reason) {
		t.Helper()
		before := d.Stats.Failures[reason%Reasons].Load()
		w.look(t.Context())
		same(t, "members", addrs(w.now), want)
		if after := d.Stats.Failures[reason%Reasons].Load(); reason < Reasons && after != before+1 {
			t.Errorf("%d failures counted as %s", after-before, reason)
		}
	}
	const none = Reasons
	z.set("app.test.", typeA, ip("127.0.0.4"))
	look("127.0.0.4:3000", none)
	z.fail(servfail, false)
	look("127.0.0.4:3000", Other)
	z.fail(nxdomain, false)
	look("127.0.0.4:3000", NotFound)
	z.fail(0, false)
	z.set("app.test.", typeA)
	z.set("app.test.", typeSRV, record(1, 1, 80, "app.test.")) // it exists, but has no address
	look("127.0.0.4:3000", NotFound)
	z.set("app.test.", typeAAAA, ip("::1")) // the other family is really all there is
	look("[::1]:3000", NotFound)
	z.set("app.test.", typeAAAA)
	z.set("app.test.", typeA, ip("127.0.0.5"))
	look("127.0.0.5:3000", NotFound)
	z.fail(0, true)
	w.source.(*dns).ask.timeout = 50 * time.Millisecond
	look("127.0.0.5:3000", Timeout)
}

func TestRealResolverAtStart(t *testing.T) {
	z := newZone(t)
	z.set("app.test.", typeA, ip("127.0.0.2"))
	start := func(url string) string {
		_, err := New(t.Context(), specs(url), Options{Resolver: z.resolver(), Timeout: 5 * time.Second})
		if err == nil {
			t.Fatal("started")
		}
		message, _, _ := strings.Cut(err.Error(), " (asked ")
		_, way, _ := strings.Cut(err.Error(), ");")
		return message + way
	}
	same(t, "unknown", start("http://typo.test."),
		`upstream "http://typo.test.": cannot resolve typo.test.: no such host check its spelling, and that this machine's DNS has it`)
	same(t, "no records", start("srv+http://app.test."),
		`upstream "srv+http://app.test.": cannot resolve app.test.: no such host check its spelling, and that it has SRV records; without srv+ its addresses are taken`)
	z.fail(servfail, false)
	same(t, "failing", start("http://app.test."),
		`upstream "http://app.test.": cannot resolve app.test.: server misbehaving check this machine's resolver, or give the address instead of the name`)
}
