package discover

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSRV(t *testing.T) {
	n := newNames()
	n.has("a.", "10.0.0.1")
	n.has("b.", "10.0.0.2")
	n.has("both.", "10.0.1.1 10.0.1.2")
	n.has("alias.", "10.0.0.1")
	for _, c := range []struct{ name, url, records, want string }{
		{"ports and weights", "srv+http://x", "0 1 3001 a., 0 2 3002 b.", "10.0.0.1:3001 10.0.0.2:3002*2"},
		{"priorities", "srv+http://x", "20 1 80 a., 10 1 80 b.", "10.0.0.2:80 10.0.0.1:80/backup"},
		{"one backup tier", "srv+http://x", "30 1 80 a., 20 5 80 b., 10 1 80 both.",
			"10.0.1.1:80 10.0.1.2:80 10.0.0.2:80*5/backup 10.0.0.1:80/backup"},
		{"all of a backup are backup", "srv+http://x;backup", "2 1 80 a., 1 1 80 b.", "10.0.0.2:80/backup 10.0.0.1:80/backup"},
		{"weight times weight", "srv+http://x;weight=3", "0 0 80 a., 0 4 80 b.", "10.0.0.1:80*3 10.0.0.2:80*12"},
		{"weight 0 is the least", "srv+http://x", "0 0 80 a., 0 0 80 b.", "10.0.0.1:80 10.0.0.2:80"},
		{"large weights shrink together", "srv+http://x", "0 65535 80 a., 0 32767 80 b., 0 1 81 b.",
			"10.0.0.1:80*1000 10.0.0.2:80*500 10.0.0.2:81"},
		{"an address twice", "srv+http://x", "0 2 80 a., 0 3 80 alias., 1 9 80 a., 0 1 81 a.", "10.0.0.1:80*5 10.0.0.1:81"},
		{"a host in any case", "srv+http://x", "0 1 80 A.", "10.0.0.1:80"},
		{"hosts without address are left out", "srv+http://x", "0 1 80 nobody., 1 1 80 a.", "10.0.0.1:80"},
		{"nothing at . and no port 0", "srv+http://x", "0 1 80 ., 0 1 0 b., 0 1 80 a.", "10.0.0.1:80"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n.serves("x", c.records)
			for range 20 { // answers come in any order
				d, err := New(t.Context(), specs(c.url), Options{Resolver: n})
				if err != nil {
					t.Fatal(err)
				}
				same(t, "members", addrs(d.Targets()), c.want)
			}
		})
	}
}

// The certificate has to be the host's that the record names.
func TestSRVHostIsTheRecords(t *testing.T) {
	n := newNames()
	n.has("a.example.org.", "10.0.0.1")
	n.serves("_app._tcp.example.org", "0 1 443 A.example.org., 0 1 80 a.example.org.")
	var got strings.Builder
	for _, url := range []string{"srv+https://_app._tcp.example.org", "srv+http://_app._tcp.example.org"} {
		d, err := New(t.Context(), specs(url), Options{Resolver: n})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range d.Targets() {
			fmt.Fprintln(&got, m.Name, m.TLS, m.Host)
		}
	}
	same(t, "members", got.String(), `srv+https://_app._tcp.example.org (10.0.0.1:80) true a.example.org:80
srv+https://_app._tcp.example.org (10.0.0.1:443) true a.example.org
srv+http://_app._tcp.example.org (10.0.0.1:80) false a.example.org
srv+http://_app._tcp.example.org (10.0.0.1:443) false a.example.org:443
`)
}

func TestSRVWithoutAnyHostFails(t *testing.T) {
	n := newNames()
	n.serves("x", "0 1 80 nobody.")
	_, err := New(t.Context(), specs("srv+http://x"), Options{Resolver: n})
	same(t, "error", fmt.Sprint(err),
		`upstream "srv+http://x": cannot resolve nobody.: no such host; check its spelling, and that this machine's DNS has it`)
}

func TestSRVWhileRunning(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		n.has("a.", "10.0.0.1")
		n.has("b.", "10.0.0.2")
		n.serves("x", "0 1 80 a., 1 1 80 b.")
		s := start(t, n, "srv+http://x")

		n.serves("x", "0 7 80 a., 1 1 80 b.")
		same(t, "weight", s.pass(), "10.0.0.1:80*7 10.0.0.2:80/backup")
		n.serves("x", "0 1 80 b., 1 1 80 a.")
		same(t, "tiers change places", s.pass(), "10.0.0.2:80 10.0.0.1:80/backup")

		n.fail("b.", errNXDomain)
		same(t, "a host's last addresses stay", s.pass(), "")
		n.has("a.", "10.0.0.3")
		same(t, "while others move", s.pass(), "10.0.0.2:80 10.0.0.3:80/backup")

		n.fail("x", errTimeout)
		n.has("b.", "10.0.0.4")
		same(t, "hosts of the last records move", s.pass(), "10.0.0.4:80 10.0.0.3:80/backup")
		if got := s.Stats.Stale.Load(); got != 1 {
			t.Errorf("%d upstreams stale", got)
		}

		n.serves("x", "0 1 80 a.")
		same(t, "a record goes", s.pass(), "10.0.0.3:80")
		n.fail("b.", errServfail)
		same(t, "its host is not asked for", s.pass(), "")
		if got := s.Stats.Stale.Load(); got != 0 {
			t.Errorf("%d upstreams stale", got)
		}

		n.serves("x", "0 1 80 a., 0 1 80 b.")
		same(t, "nor remembered", s.pass(), "")
		n.has("b.", "10.0.0.5")
		same(t, "a record comes", s.pass(), "10.0.0.3:80 10.0.0.5:80")
	})
}

// An answer may name many hosts, which are asked for a few at a time.
func TestSRVOfManyHosts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		n := newNames()
		var records []string
		for i := range 100 {
			name := fmt.Sprintf("h%d.", i)
			records = append(records, "0 1 80 "+name)
			if n.has(name, fmt.Sprintf("10.0.0.%d", i)); i >= 10 {
				n.fail(name, errSilence)
			}
		}
		n.serves("x", strings.Join(records, ","))
		begun := time.Now()
		d, err := New(t.Context(), specs("srv+http://x"), Options{Resolver: n})
		if err != nil {
			t.Fatal(err)
		}
		same(t, "members", addrs(d.Targets()), "10.0.0.0:80 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80 10.0.0.4:80 "+
			"10.0.0.5:80 10.0.0.6:80 10.0.0.7:80 10.0.0.8:80 10.0.0.9:80")
		if took := time.Since(begun); took != 12*defaultTimeout { // 90 by 8
			t.Errorf("took %v", took)
		}
	})
}
