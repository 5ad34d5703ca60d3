package discover

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"multiserver/pool"
)

func TestStartHasAllMembersInOrder(t *testing.T) {
	n := newNames()
	n.has("app.internal", "10.0.0.9 10.0.0.7")
	n.has("six.internal", "2001:db8::2 2001:db8::1")
	d, err := New(t.Context(), specs(
		"http://10.0.0.1:3000",
		"https://app.internal;weight=3",
		"unix:/run/app.sock",
		"http://[::1]:3000",
		"http://six.internal:81;backup",
		"http://LocalHost:3000",
		"https://192.0.2.1",
	), Options{Resolver: n})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, m := range d.Targets() {
		fmt.Fprintln(&got, m.Name, m.Network, m.Addr, m.TLS, m.Host, m.Weight, m.Backup)
	}
	same(t, "members", got.String(), `http://10.0.0.1:3000 tcp 10.0.0.1:3000 false 10.0.0.1:3000 1 false
https://app.internal (10.0.0.7:443) tcp 10.0.0.7:443 true app.internal 3 false
https://app.internal (10.0.0.9:443) tcp 10.0.0.9:443 true app.internal 3 false
unix:/run/app.sock unix /run/app.sock false  1 false
http://[::1]:3000 tcp [::1]:3000 false [::1]:3000 1 false
http://six.internal:81 ([2001:db8::1]:81) tcp [2001:db8::1]:81 false six.internal:81 1 true
http://six.internal:81 ([2001:db8::2]:81) tcp [2001:db8::2]:81 false six.internal:81 1 true
http://LocalHost:3000 tcp LocalHost:3000 false LocalHost:3000 1 false
https://192.0.2.1 tcp 192.0.2.1:443 true 192.0.2.1 1 false
`)
}

func TestStartFailsWithEveryNameThatDoes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("good.internal", "10.0.0.1")
		n.fail("slow.internal", errSilence)
		n.fail("ill.internal", errServfail)
		n.has("sunk.internal", "0.0.0.0 ::")
		begun := time.Now()
		_, err := New(t.Context(), specs("http://good.internal", "http://typo.internal:3000", "https://slow.internal",
			"http://ill.internal", "http://sunk.internal", "srv+http://_app._tcp.typo.internal", "srv+http://app.internal:80",
			"srv+http://10.0.0.1", "ftp://a"), Options{Resolver: n})
		same(t, "error", fmt.Sprint(err), `upstream "srv+http://app.internal:80": a port has no meaning with srv+, the records have theirs: leave it out
upstream "srv+http://10.0.0.1": an address has no SRV records: leave srv+ out, or give the service's name
upstream "ftp://a": BUG: scheme "ftp" has no source
upstream "http://typo.internal:3000": cannot resolve typo.internal: no such host; check its spelling, and that this machine's DNS has it
upstream "https://slow.internal": cannot resolve slow.internal: context deadline exceeded; check this machine's resolver, or give the address instead of the name
upstream "http://ill.internal": cannot resolve ill.internal: server misbehaving (asked 192.0.2.53:53); check this machine's resolver, or give the address instead of the name
upstream "http://sunk.internal": cannot resolve sunk.internal: no usable address; check its spelling, and that this machine's DNS has it
upstream "srv+http://_app._tcp.typo.internal": cannot resolve _app._tcp.typo.internal: no such host; check its spelling, and that it has SRV records; without srv+ its addresses are taken`)
		if took := time.Since(begun); took != defaultTimeout {
			t.Errorf("took %v", took)
		}
	})
}

func TestStartGivesUpWhenTold(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.fail("slow.internal", errSilence)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := New(ctx, specs("http://slow.internal"), Options{Resolver: n})
		same(t, "error", fmt.Sprint(err), `upstream "http://slow.internal": resolving slow.internal: context deadline exceeded`)
	})
}

func TestAddressesComeAndGo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("app", "10.0.0.1")
		n.has("other", "10.1.0.1")
		s := start(t, n, "http://10.9.9.9:1", "http://app", "http://other", "unix:/a")
		steps := []struct{ name, has, want string }{
			{"app", "10.0.0.1 10.0.0.2", "10.9.9.9:1 10.0.0.1:80 10.0.0.2:80 10.1.0.1:80 /a"},
			{"app", "10.0.0.3 10.0.0.2", "10.9.9.9:1 10.0.0.2:80 10.0.0.3:80 10.1.0.1:80 /a"},
			{"app", "10.0.0.2 10.0.0.3", ""},
			{"app", "10.0.0.3 10.0.0.2 10.0.0.3 ::ffff:10.0.0.2", ""},
			{"other", "10.1.0.2", "10.9.9.9:1 10.0.0.2:80 10.0.0.3:80 10.1.0.2:80 /a"},
			{"app", "10.1.0.2", "10.9.9.9:1 10.1.0.2:80 10.1.0.2:80 /a"}, // two names, two members
			{"app", "10.0.0.2 0.0.0.0 224.0.0.1", "10.9.9.9:1 10.0.0.2:80 10.1.0.2:80 /a"},
		}
		for _, step := range steps {
			n.has(step.name, step.has)
			same(t, step.name+" is "+step.has, s.pass(), step.want)
			same(t, "and stays", s.pass(), "")
		}
		if c := s.Stats.Changes.Load(); c != 5 {
			t.Errorf("%d changes", c)
		}
		told := s.lines("members changed")
		if len(told) != 5 || !strings.Contains(told[1], `upstream=http://app came=[10.0.0.3:80] went=[10.0.0.1:80] members=2`) {
			t.Errorf("logged %q", told)
		}
	})
}

// An address that is there every other time is a member every other time: the
// pool is told each time, and of nothing in between.
func TestFlapping(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("app", "10.0.0.1 10.0.0.2")
		s := start(t, n, "http://app")
		for range 50 {
			n.has("app", "10.0.0.1")
			same(t, "gone", s.pass(), "10.0.0.1:80")
			n.has("app", "10.0.0.2 10.0.0.1")
			same(t, "back", s.pass(), "10.0.0.1:80 10.0.0.2:80")
		}
		if c := s.Stats.Changes.Load(); c != 100 {
			t.Errorf("%d changes", c)
		}
	})
}

func TestLastGoodAnswerStays(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		reason Reason
	}{
		{"timeout", errTimeout, Timeout},
		{"silence", errSilence, Timeout},
		{"servfail", errServfail, Other},
		{"nxdomain", errNXDomain, NotFound},
		{"empty", errEmpty, NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				n := newNames()
				n.has("app", "10.0.0.1 10.0.0.2")
				n.has("sound", "10.1.0.1")
				n.serves("_a._tcp.app", "1 1 80 host.")
				n.has("host.", "10.2.0.1")
				s := start(t, n, "http://app", "http://sound", "srv+http://_a._tcp.app")
				n.fail("app", c.err)
				n.fail("_a._tcp.app", c.err)
				for range 50 {
					same(t, "set", s.pass(), "")
				}
				if got := s.Stats.Failures[c.reason].Load(); got < 50 {
					t.Errorf("%d failures for that reason", got)
				}
				if got := s.Stats.Stale.Load(); got != 2 {
					t.Errorf("%d upstreams stale", got)
				}
				told := s.lines("look-up failed")
				// ten minutes or twenty: at first, then every five
				if len(told) < 4 || len(told) > 10 || !strings.Contains(told[0], "reason="+c.reason.String()) {
					t.Errorf("logged %q", told)
				}

				n.has("sound", "10.1.0.2")
				same(t, "others go on", s.pass(), "10.0.0.1:80 10.0.0.2:80 10.1.0.2:80 10.2.0.1:80")
				n.has("app", "10.0.0.3")
				n.fail("_a._tcp.app", nil)
				s.pass()
				s.pass()
				if got := s.Stats.Stale.Load(); got != 0 {
					t.Errorf("%d upstreams stale", got)
				}
				if told := s.lines("resolves again"); len(told) != 2 {
					t.Errorf("logged %q", told)
				}
				n.has("app", "10.0.0.4")
				same(t, "again", s.pass(), "10.0.0.4:80 10.1.0.2:80 10.2.0.1:80")
			})
		})
	}
}

func TestWarningsAreThrottled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("app", "10.0.0.1")
		s := start(t, n, "http://app")
		n.fail("app", errServfail)
		time.Sleep(16 * time.Minute)
		synctest.Wait()
		told := s.lines("level=WARN")
		if len(told) != 4 {
			t.Fatalf("%d lines in 16 minutes: %q", len(told), told)
		}
		if !strings.HasSuffix(told[0], `upstream=http://app reason=other cause="app: server misbehaving (asked 192.0.2.53:53)" failed=1 swallowed=0`+"\n") {
			t.Errorf("first %s", told[0])
		}
		var failed, swallowed int
		fmt.Sscanf(told[1][strings.Index(told[1], "failed="):], "failed=%d swallowed=%d", &failed, &swallowed)
		if failed < 28 || failed != swallowed+2 {
			t.Errorf("second %s", told[1])
		}
	})
}

func TestLookupsHaveJitter(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("a", "10.0.0.1")
		n.has("b", "10.0.0.1")
		s := start(t, n, "http://a", "http://b", "http://10.0.0.1", "http://localhost")
		time.Sleep(20 * time.Minute)
		s.stop()
		a, b := n.times("ip a"), n.times("ip b")
		if len(a) < 109 || len(a) > 134 {
			t.Errorf("%d look-ups in 20 minutes", len(a))
		}
		for i := range a[1:] {
			if d := a[i+1].Sub(a[i]); d < 9*time.Second || d > 11*time.Second {
				t.Errorf("%v between two look-ups", d)
			}
		}
		together := 0
		for i := range min(len(a), len(b)) - 1 {
			if a[i+1].Equal(b[i+1]) {
				together++
			}
		}
		if together > 2 {
			t.Errorf("asked at the same time %d times", together)
		}
		if got, want := s.Stats.Lookups.Load(), uint64(len(a)+len(b)); got != want {
			t.Errorf("%d look-ups counted of %d", got, want)
		}
		if n.times("ip localhost") != nil {
			t.Error("localhost was looked up")
		}
	})
}

func TestRunEndsWithItsContext(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		wait time.Duration
		took time.Duration
	}{
		{"while it waits", nil, 5 * time.Second, 0},
		{"in a look-up", errSilence, 15 * time.Second, 0},
		{"in a look-up that takes its time", errStubborn, 15 * time.Second, time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				n := newNames()
				n.has("app", "10.0.0.1")
				n.serves("srv", "1 1 80 app")
				s := start(t, n, "http://app", "srv+http://srv", "unix:/a")
				n.fail("app", c.err)
				time.Sleep(c.wait)
				synctest.Wait()
				begun := time.Now()
				s.stop()
				if took := time.Since(begun); took != c.took {
					t.Errorf("took %v", took)
				}
				asked := s.Stats.Lookups.Load()
				n.has("app", "10.0.0.2")
				same(t, "set", s.pass(), "")
				if s.Stats.Lookups.Load() != asked {
					t.Error("asked after the end")
				}
				for r := range Reasons {
					if n := s.Stats.Failures[r].Load(); n != 0 {
						t.Errorf("the end counted as %s", r)
					}
				}
				if told := s.lines("level=WARN"); told != nil {
					t.Errorf("logged %q", told)
				}
			})
		})
	}
}

// A pool may take its time with a new membership; what changes meanwhile is
// told then, one after the other, and not at all if it ends first.
func TestSetTakesItsTime(t *testing.T) {
	for _, ends := range []bool{false, true} {
		inBubble(t, func(t *testing.T) {
			n := newNames()
			var urls []string
			for i := range 8 {
				name := fmt.Sprint("app", i)
				urls = append(urls, "http://"+name)
				n.has(name, "10.0.0.1")
			}
			d, err := New(t.Context(), specs(urls...), Options{Resolver: n, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			for i := range 8 {
				n.has(fmt.Sprint("app", i), "10.0.0.2")
			}
			var last string
			d.Run(ctx, func(targets []pool.Target) {
				if last = addrs(targets); ends || !strings.Contains(last, "10.0.0.1") {
					defer cancel()
				}
				time.Sleep(time.Minute)
			})
			if c := d.Stats.Changes.Load(); !ends && c != 8 {
				t.Errorf("%d changes, at last %s", c, last)
			}
		})
	}
}

// What set is given is the caller's to keep and change.
func TestSetGetsItsOwn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("app", "10.0.0.1")
		s := start(t, n, "http://app", "http://10.9.9.9:1")
		n.has("app", "10.0.0.2")
		time.Sleep(12 * time.Second)
		synctest.Wait()
		s.mu.Lock()
		clear(s.sets[0])
		s.mu.Unlock()
		n.has("app", "10.0.0.3")
		same(t, "next", s.pass(), "10.0.0.3:80 10.9.9.9:1")
	})
}
