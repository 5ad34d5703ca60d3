package server

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"multiserver/proxy/certs/certstest"
)

// at asks by a listener, on a connection of its own.
func (r *reloadable) at(addr net.Addr, want string) {
	r.t.Helper()
	c := connect(r.t, addr)
	defer c.nc.Close()
	c.want("/", want)
}

func (r *reloadable) addrs() (out []string) {
	for _, a := range r.Addrs() {
		out = append(out, a.String())
	}
	return out
}

func TestAReloadOpensAndClosesListeners(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	f := func(at string) string { return "listen: [" + at + "]\nupstream: $x\n" }
	s := startReloadable(t, f("unix:"+one))
	kept := connect(t, s.Addrs()[0])
	kept.want("/", "200 x /")
	if done := s.change(f("unix:" + one + ", unix:" + two + ", 127.0.0.1:0")); len(done.Later) > 0 {
		t.Errorf("later: %v", done.Later)
	}
	for _, a := range s.Addrs() {
		s.at(a, "200 x /")
	}
	port := s.addrs()[2]
	s.change(f("127.0.0.1:0, unix:" + two))
	if got := s.addrs(); !slices.Equal(got, []string{port, two}) {
		t.Errorf("it listens at %v", got)
	}
	for _, a := range s.Addrs() {
		s.at(a, "200 x /")
	}
	if _, err := os.Stat(one); !os.IsNotExist(err) {
		t.Errorf("the file of one that is closed: %v", err)
	}
	kept.ask("/")
	if got, last := kept.answer(); got != "200 x /" || !last {
		t.Errorf("on a connection from there: %q, the last: %v", got, last)
	}
	kept.ended()
}

func TestListenersChangeAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	taken := listenOn(t, "tcp", "127.0.0.1:0").Addr().String()
	s := startReloadable(t, "listen: [\"unix:"+one+"\"]\nupstream: $x\n")
	f := func(text, want string) {
		t.Helper()
		s.write(text)
		if _, err := s.Reload(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if got := s.addrs(); !slices.Equal(got, []string{one}) {
			t.Errorf("it listens at %v", got)
		}
		if _, err := os.Stat(two); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", two, err)
		}
		s.at(s.Addrs()[0], "200 x /")
	}
	f("listen: [\"unix:"+two+"\", \""+taken+"\"]\nupstream: $y\n", "--listen "+taken+": listen tcp "+taken+": bind: address already in use")
	f("listen: [\"unix:"+two+"\", fd:web]\nupstream: $y\n", "--listen web: no socket of that name was handed over")
	f("listen: [\"unix:"+two+"\", \"127.0.0.1:0;accept-proxy\"]\ntrusted-proxies: 127.0.0.1\nupstream: $y\n", "--trusted-proxies cannot change with it")
}

// The socket is the same, so that nobody who is about to connect is refused.
func TestAListenerChangesItsWay(t *testing.T) {
	const more = "trusted-proxies: 127.0.0.1\nupstream: $x\n"
	s := startReloadable(t, "listen: [\"127.0.0.1:0\"]\n"+more)
	addr := s.Addrs()[0]
	s.at(addr, "200 x /")
	for range 3 {
		s.change("listen: [\"127.0.0.1:0;accept-proxy\"]\n" + more)
		c := connect(t, addr)
		_, _ = io.WriteString(c.nc, said)
		c.want("/", "200 x /")
		bare := connect(t, addr)
		bare.ask("/")
		if rest, _ := io.ReadAll(bare.in); len(rest) > 0 {
			t.Errorf("without a header: %q", rest)
		}
		s.change("listen: [\"127.0.0.1:0\"]\n" + more)
		s.at(addr, "200 x /")
	}
}

func TestHTTP2EndsWithItsListener(t *testing.T) {
	s := startReloadable(t, "listen: [\"127.0.0.1:0\", \"127.0.0.1:0\"]\nupstream: $x\n")
	c, _ := over(t, s.Addrs()[1], false)
	res, err := c.Get("http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	s.change("listen: [\"127.0.0.1:0\"]\nupstream: $x\n")
	await(t, "the idle connection to end", func() bool { return s.crowd.open.Load() == 0 })
	s.at(s.Addrs()[0], "200 x /")
}

func TestAReloadChangesWhereTLSIsSpokenAndForWhom(t *testing.T) {
	ca, dir := certstest.NewCA(t), t.TempDir()
	pair := func(name string) (cert, key string) { return ca.Files(dir, name, name+".test") }
	one, oneKey := pair("one")
	two, twoKey := pair("two")
	f := func(ports, certs, keys string) string {
		return fmt.Sprintf("listen: [\"127.0.0.1:0\"]\ntls-listen: [%s]\ntls-cert: [%s]\ntls-key: [%s]\nhttps-redirect: true\nupstream: $x\n", ports, certs, keys)
	}
	s := startReloadable(t, f(`"127.0.0.1:0"`, one, oneKey))
	by := func(addr net.Addr, name string) error {
		nc, err := tls.Dial("tcp", addr.String(), &tls.Config{RootCAs: ca.Pool(), ServerName: name})
		if err != nil {
			return err
		}
		defer nc.Close()
		(&client{t, nc, bufio.NewReader(nc)}).want("/", "200 x /")
		return nil
	}
	first := s.Addrs()[1]
	if err := by(first, "two.test"); err == nil {
		t.Error("a name that is not there yet")
	}
	if done := s.change(f(`"127.0.0.1:0", "127.0.0.1:0"`, one+", "+two, oneKey+", "+twoKey)); len(done.Later) > 0 {
		t.Errorf("later: %v", done.Later)
	}
	for _, addr := range s.Addrs()[1:] {
		for _, name := range []string{"one.test", "two.test"} {
			if err := by(addr, name); err != nil {
				t.Errorf("%s at %s: %v", name, addr, err)
			}
		}
	}
	s.write(f(`"127.0.0.1:0"`, one+", "+dir+"/none.pem", oneKey+", "+twoKey))
	if _, err := s.Reload(); err == nil || !strings.Contains(err.Error(), "none.pem") {
		t.Errorf("with a certificate that is not there: %v", err)
	}
	s.change(f(`"127.0.0.1:0"`, two, twoKey))
	if err := by(first, "two.test"); err != nil {
		t.Error(err)
	}
	if err := by(first, "one.test"); err == nil {
		t.Error("a name that is gone")
	}
	c := s.dial(t)
	c.ask("/")
	if got, _ := c.answer(); !strings.HasPrefix(got, "308") {
		t.Errorf("without TLS: %s", got)
	}
}

// A server that was started without TLS comes to speak it, with whatever its
// first terms are, and those are not named as things of the next start.
func TestAReloadBeginsTLS(t *testing.T) {
	ca, dir := certstest.NewCA(t), t.TempDir()
	cert, key := ca.Files(dir, "one", "one.test")
	plain := "listen: [\"127.0.0.1:0\"]\nupstream: $x\n"
	secure := plain + fmt.Sprintf("tls-listen: [\"127.0.0.1:0\"]\ntls-cert: [%s]\ntls-key: [%s]\ntls-client-ca: %s\ntls-client-auth: optional\nhttps-redirect: true\n", cert, key, cert)
	s := startReloadable(t, plain)
	s.write(strings.Replace(secure, cert, dir+"/none.pem", 1))
	if _, err := s.Reload(); err == nil || !strings.Contains(err.Error(), "none.pem") || s.tls.Load() != nil {
		t.Errorf("with a certificate that is not there: %v", err)
	}
	for range 2 {
		if done := s.change(secure); len(done.Later) > 0 {
			t.Errorf("later: %v", done.Later)
		}
		nc, err := tls.Dial("tcp", s.Addrs()[1].String(), &tls.Config{RootCAs: ca.Pool(), ServerName: "one.test"})
		if err != nil {
			t.Fatal(err)
		}
		(&client{t, nc, bufio.NewReader(nc)}).want("/", "200 x /")
		nc.Close()
		c := s.dial(t)
		c.ask("/")
		if got, _ := c.answer(); !strings.HasPrefix(got, "308") {
			t.Errorf("without TLS: %s", got)
		}
		s.change(plain)
		if n := len(s.Addrs()); n != 1 {
			t.Errorf("it listens at %v", s.addrs())
		}
		s.at(s.Addrs()[0], "200 x /")
	}
}

func TestWhatChangesAtTheNextStart(t *testing.T) {
	const plain = "listen: [\"127.0.0.1:0\"]\nupstream: $x\n"
	ca, _ := certstest.NewCA(t).Files(t.TempDir(), "a", "a.test")
	s := startReloadable(t, plain)
	f := func(more string, ports int, want ...string) {
		t.Helper()
		done := s.change(plain + more)
		for _, name := range want {
			if !slices.Contains(done.Later, name) {
				t.Errorf("%v, want %s", done.Later, name)
			}
		}
		if n := len(s.Addrs()); n != ports {
			t.Errorf("it listens at %v", s.addrs())
		}
	}
	f("acme: a.test\nacme-dir: "+t.TempDir()+"\ntls-listen: [\"127.0.0.1:0\"]\n", 1, "acme", "tls-listen")
	f("tls-self-signed: true\ntls-listen: [\"127.0.0.1:0\"]\nhttp3: true\nvia: true\nhsts: 1h\n", 2, "http3", "via", "hsts")
	f("tls-self-signed: true\ntls-listen: [\"127.0.0.1:0\"]\ntls-client-ca: "+ca+"\n", 2, "tls-client-ca")
}
