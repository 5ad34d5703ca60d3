package acmetest

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// node is the program, told to order a certificate for a.test.
type node struct {
	*process
	plain, secure string
	dir           string
}

func (a *authority) node(plain, secure, dir string, args ...string) *node {
	a.t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "app") }))
	a.t.Cleanup(app.Close)
	args = append([]string{"--upstream", app.URL, "--listen", plain, "--tls-listen", secure, "--https-redirect",
		"--acme", "a.test", "--acme-ca", "https://" + a.api + "/dir", "--acme-ca-root", a.root, "--log-level", "debug", "--drain-timeout", "1s",
		"--max-connections", "512"}, args...) // more than the machine has descriptors for is a warning
	if dir != "" {
		args = append(args, "--acme-dir", dir)
	}
	n := &node{run(a.t, nil, "multiserver", args...), plain, secure, dir}
	n.says(`msg="listening, TLS"`)
	return n
}

// serial is that of the certificate which clients see; "": no handshake.
func (n *node) serial(name string, config *tls.Config) string {
	config.ServerName, config.InsecureSkipVerify = name, true
	d := &net.Dialer{Timeout: 5 * time.Second}
	c, err := tls.DialWithDialer(d, "tcp", n.secure, config)
	if err != nil {
		return ""
	}
	defer c.Close()
	leaf := c.ConnectionState().PeerCertificates[0]
	if !strings.Contains(leaf.Issuer.CommonName, "Pebble") {
		return "of " + leaf.Issuer.CommonName
	}
	return leaf.SerialNumber.String()
}

// has waits until clients see a certificate for a.test.
func (n *node) has() (serial string) {
	n.t.Helper()
	until(n.t, "a certificate of Pebble", func() bool { serial = n.serial("a.test", &tls.Config{}); return serial != "" })
	return serial
}

func TestOrders(t *testing.T) {
	f := func(challenge string) {
		t.Helper()
		t.Run(challenge, func(t *testing.T) {
			a := newAuthority(t).start()
			n := a.node(a.plain, a.secure, t.TempDir(), "--acme-challenge", challenge)
			n.has()
			if got := a.orders(); got != 1 {
				t.Errorf("%d orders", got)
			}
			n.says(`msg="certificate loaded" file=acme:a\.test names=\[a\.test\]`)
			if n.count(`level=(WARN|ERROR)`) > 0 {
				t.Error("trouble")
			}
			if challenge != "any" && n.count(`served key authentication.*challenge=`+challenge) == 0 {
				t.Error("another proof")
			}
			// What is no proof goes the way of all requests, and no client can
			// have one for the asking.
			res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).
				Get("http://" + n.plain + "/.well-known/acme-challenge/x")
			if err != nil || res.StatusCode != 308 {
				t.Errorf("no proof: %v, %v", res, err)
			}
			for _, name := range []string{"a.test", "b.test"} {
				if got := n.serial(name, &tls.Config{NextProtos: []string{"acme-tls/1"}}); got != "" {
					t.Errorf("%s: a proof without an order: %s", name, got)
				}
			}
			n.serial("b.test", &tls.Config{}) // orders nothing
			if got := a.orders(); got != 1 {
				t.Errorf("%d orders behind all that", got)
			}
		})
	}
	f("tls-alpn-01")
	f("http-01")
	f("any")
}

// Authorities show no certificate.
func TestOrdersWhereClientsMustShowACertificate(t *testing.T) {
	a := newAuthority(t).start()
	n := a.node(a.plain, a.secure, t.TempDir(), "--acme-challenge", "tls-alpn-01", "--tls-client-ca", a.root)
	n.says(`msg="certificate issued"`)
}

func TestRestartOrdersNothing(t *testing.T) {
	a, dir := newAuthority(t).start(), t.TempDir()
	n := a.node(a.plain, a.secure, dir)
	before := n.has()
	n.stop()
	a.stop() // nobody is asked
	n = a.node(a.plain, a.secure, dir)
	if got := n.serial("a.test", &tls.Config{}); got != before { // from the first connection on
		t.Errorf("%s, before %s", got, before)
	}
	if got := a.orders(); got != 1 {
		t.Errorf("%d orders", got)
	}
}

func TestAuthorityDownAtStart(t *testing.T) {
	a := newAuthority(t)
	n := a.node(a.plain, a.secure, t.TempDir())
	n.says(`level=WARN msg="certificate cannot be ordered yet.* name=a\.test .*connection refused`)
	if got := n.serial("a.test", &tls.Config{}); got != "" {
		t.Errorf("a certificate from nowhere: %s", got)
	}
	n.says(`reason=no-certificate-yet`)
	a.start()
	n.has()
	if got := n.count(`cannot be ordered yet`); got != 1 {
		t.Errorf("told %d times", got)
	}
}

func TestAuthorityThatIsNone(t *testing.T) {
	a := newAuthority(t)
	cert, err := tls.LoadX509KeyPair(a.root, strings.Replace(a.root, "cert.pem", "key.pem", 1))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", a.api, &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") })}
	go web.Serve(ln)
	n := a.node(a.plain, a.secure, t.TempDir())
	n.says(`level=WARN msg="certificate cannot be ordered yet.*status 200, and not an ACME directory`)
	_ = web.Close()
	a.start()
	n.has()
}

// An order that is refused is not repeated at once: authorities count.
func TestRefusedOrder(t *testing.T) {
	a := newAuthority(t).start()
	n := a.node(addr(t), addr(t), t.TempDir()) // where Pebble does not look
	n.says(`level=WARN msg="certificate not issued, the order is tried again later" name=a\.test`)
	before := a.orders()
	time.Sleep(3 * time.Second)
	if got := a.orders(); got != before || before > 4 {
		t.Errorf("%d orders, then %d", before, got)
	}
	n.stop() // in the middle of its wait
}

func TestNodesWithOneRedisOrderOnce(t *testing.T) {
	server, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server here")
	}
	a, redis := newAuthority(t), addr(t)
	run(t, nil, server, "--bind", "127.0.0.1", "--port", port(redis), "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	until(t, "redis listens", func() bool { return connects(redis) })
	one := a.node(a.plain, a.secure, "", "--cache", "64MiB", "--redis", "redis://"+redis)
	two := a.node(addr(t), addr(t), "", "--cache", "64MiB", "--redis", "redis://"+redis)
	a.start()
	// Whichever orders, Pebble asks the first: the second's proofs are given by it.
	if x, y := one.has(), two.has(); x != y {
		t.Errorf("%s and %s", x, y)
	}
	if got := a.orders(); got != 1 {
		t.Errorf("%d orders", got)
	}
	one.stop()
	again := a.node(a.plain, a.secure, "", "--cache", "64MiB", "--redis", "redis://"+redis)
	again.has()
	if got := a.orders(); got != 1 {
		t.Errorf("%d orders after a restart", got)
	}
}

// A balancer in front of the nodes sends the authority to any of them.
func TestANodeProvesWhatAnotherOrdered(t *testing.T) {
	server, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server here")
	}
	f := func(challenge string) {
		t.Helper()
		t.Run(challenge, func(t *testing.T) {
			a, redis := newAuthority(t).start(), addr(t)
			run(t, nil, server, "--bind", "127.0.0.1", "--port", port(redis), "--save", "", "--appendonly", "no", "--dir", t.TempDir())
			until(t, "redis listens", func() bool { return connects(redis) })
			stranger := *a
			stranger.root, _ = localhost(t, t.TempDir()) // this node does not believe Pebble, and so cannot order
			asked := stranger.node(a.plain, a.secure, "", "--acme-challenge", challenge, "--cache", "64MiB", "--redis", "redis://"+redis)
			asked.says(`cannot be ordered yet`)
			orders := a.node(addr(t), addr(t), "", "--acme-challenge", challenge, "--cache", "64MiB", "--redis", "redis://"+redis)
			if x, y := orders.has(), asked.has(); x != y {
				t.Errorf("%s and %s", x, y)
			}
			asked.says(`served key authentication.*challenge=` + challenge + `.*distributed=true`)
		})
	}
	f("tls-alpn-01")
	f("http-01")
}

func TestRedisDownAtStart(t *testing.T) {
	server, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server here")
	}
	a, redis := newAuthority(t).start(), addr(t)
	n := a.node(a.plain, a.secure, "", "--cache", "64MiB", "--redis", "redis://"+redis)
	n.says(`level=WARN msg="certificate cannot be loaded yet"`)
	run(t, nil, server, "--bind", "127.0.0.1", "--port", port(redis), "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	n.has()
}
