package discover

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/pool"
)

// names is a Resolver that knows what it is told. Its answers come in another
// order each time, IPv4 addresses as net.Resolver writes them.
type names struct {
	mu    sync.Mutex
	addrs map[string][]netip.Addr // guarded by mu
	srvs  map[string][]*net.SRV   // guarded by mu
	fails map[string]error        // guarded by mu; by "name" or "ip6 name"
	asked map[string][]time.Time  // guarded by mu; by "ip name", "srv name"
}

func newNames() *names {
	return &names{
		addrs: map[string][]netip.Addr{}, srvs: map[string][]*net.SRV{},
		fails: map[string]error{}, asked: map[string][]time.Time{},
	}
}

// The ways to fail.
var (
	errSilence  = fmt.Errorf("no answer until the asker gives up")
	errStubborn = fmt.Errorf("no answer until a second after the asker gave up")
	errServfail = &net.DNSError{Err: "server misbehaving", Server: "192.0.2.53:53", IsTemporary: true}
	errTimeout  = &net.DNSError{Err: "i/o timeout", IsTimeout: true}
	errNXDomain = &net.DNSError{Err: "no such host", IsNotFound: true}
	errEmpty    = fmt.Errorf("no failure, no address")
)

// has gives name its addresses, separated by spaces, and ends its failing.
func (n *names) has(name, addrs string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addrs[name] = nil
	for _, a := range strings.Fields(addrs) {
		n.addrs[name] = append(n.addrs[name], netip.MustParseAddr(a))
	}
	delete(n.fails, name)
}

// serves gives name its SRV records: "priority weight port target, …".
func (n *names) serves(name, records string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.srvs[name] = nil
	for r := range strings.SplitSeq(records, ",") {
		var s net.SRV
		if _, err := fmt.Sscan(r, &s.Priority, &s.Weight, &s.Port, &s.Target); err != nil {
			panic(r + ": " + err.Error())
		}
		n.srvs[name] = append(n.srvs[name], &s)
	}
	delete(n.fails, name)
}

// fail lets look-ups of "name", or of one family of it as in "ip6 name", fail;
// nil ends it.
func (n *names) fail(name string, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fails[name] = err
}

func (n *names) times(name string) []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked[name]
}

func (n *names) LookupNetIP(ctx context.Context, network, name string) (out []netip.Addr, err error) {
	if err := n.begin(ctx, network, name); err == errEmpty {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	no4, no6 := n.fails["ip4 "+name], n.fails["ip6 "+name]
	for _, a := range n.addrs[name] {
		switch {
		case a.Is4() && network != "ip6" && no4 == nil:
			out = append(out, netip.AddrFrom16(a.As16()))
		case !a.Is4() && network != "ip4" && no6 == nil:
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return nil, errNXDomain
	}
	if strings.HasPrefix(name, "even") { // one whose order says which family is preferred
		return out, nil
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, nil
}

func (n *names) LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service != "" || proto != "" {
		panic("asked for another name than was written")
	}
	if err := n.begin(ctx, "srv", name); err == errEmpty {
		return name, nil, nil
	} else if err != nil {
		return "", nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	out := append([]*net.SRV(nil), n.srvs[name]...)
	if len(out) == 0 {
		return "", nil, errNXDomain
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return name, out, nil
}

func (n *names) begin(ctx context.Context, what, name string) error {
	n.mu.Lock()
	n.asked[what+" "+name] = append(n.asked[what+" "+name], time.Now())
	err := n.fails[name]
	if one := n.fails[what+" "+name]; one != nil {
		err = one
	}
	n.mu.Unlock()
	switch err {
	case errSilence:
		<-ctx.Done()
		return ctx.Err()
	case errStubborn:
		<-ctx.Done()
		time.Sleep(time.Second)
		return ctx.Err()
	}
	return err
}

// spec reads url[;weight=N][;backup] as config does.
func spec(s string) Spec {
	s, options, _ := strings.Cut(s, ";")
	out := Spec{URL: s, Each: pool.Target{Weight: 1}}
	for o := range strings.SplitSeq(options, ";") {
		if o == "backup" {
			out.Each.Backup = true
		}
		fmt.Sscanf(o, "weight=%d", &out.Each.Weight)
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		out.Scheme, out.Host = "unix", path
		return out
	}
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	out.Scheme, out.Host, out.Port = u.Scheme, u.Hostname(), u.Port()
	if out.Port == "" {
		out.Port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return out
}

func specs(urls ...string) (out []Spec) {
	for _, u := range urls {
		out = append(out, spec(u))
	}
	return out
}

// stage is a running Discover and what it said.
type stage struct {
	*Discover
	t    testing.TB
	stop func() // ends Run and waits for it

	mu   sync.Mutex
	sets [][]pool.Target // guarded by mu; what set was called with since the last drain
	log  bytes.Buffer    // guarded by mu
}

func (s *stage) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(b)
}

// start makes a Discover over n and lets it run until the test ends.
func start(t testing.TB, n Resolver, urls ...string) *stage {
	t.Helper()
	s := &stage{t: t}
	d, err := New(t.Context(), specs(urls...), Options{Resolver: n, Log: slog.New(slog.NewTextHandler(s, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.Discover = d
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		d.Run(ctx, func(targets []pool.Target) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.sets = append(s.sets, targets)
		})
	})
	s.stop = func() { cancel(); wg.Wait() }
	t.Cleanup(s.stop)
	return s
}

// pass lets so much time pass that every name is asked for once more, and
// returns the last membership set meanwhile, or "" if there was none.
func (s *stage) pass() string {
	s.t.Helper()
	time.Sleep(12 * time.Second)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sets) == 0 {
		return ""
	}
	last := s.sets[len(s.sets)-1]
	s.sets = nil
	return addrs(last)
}

// lines are those of the log that hold text.
func (s *stage) lines(text string) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, text) {
			out = append(out, line)
		}
	}
	return out
}

// addrs writes targets as address[*weight][/backup].
func addrs(targets []pool.Target) string {
	var out []string
	for _, t := range targets {
		s := t.Addr
		if t.Weight != 1 {
			s += fmt.Sprint("*", t.Weight)
		}
		if t.Backup {
			s += "/backup"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// inBubble runs f in virtual time.
func inBubble(t *testing.T, f func(t *testing.T)) { synctest.Test(t, f) }
