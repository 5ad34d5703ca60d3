package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"multiserver/proxy/certs/certstest"
	"multiserver/proxy/wire/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// stage is a Store over pairs in a directory, and what it logs.
type stage struct {
	*Store
	t   *testing.T
	dir string
	ca  *certstest.CA
	log lines
}

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// newStage has a pair for each word, which is a list of names with commas.
func newStage(t *testing.T, o Options, words ...string) *stage {
	t.Helper()
	s := &stage{t: t, dir: t.TempDir(), ca: certstest.NewCA(t)}
	for _, w := range words {
		names := strings.Split(w, ",")
		cert, key := s.ca.Files(s.dir, strings.TrimPrefix(names[0], "*."), names...)
		o.Pairs = append(o.Pairs, Pair{Cert: cert, Key: key})
	}
	o.Log = slog.New(slog.NewTextHandler(&s.log, nil))
	var err error
	if s.Store, err = New(o); err != nil {
		t.Fatal(err)
	}
	return s
}

// agree makes a handshake of c with what the Store shows now.
func (s *stage) agree(c *tls.Config) (tls.ConnectionState, error) {
	s.t.Helper()
	here, there := ends(s.t)
	defer here.Close()
	defer there.Close()
	server := tls.Server(there, s.Config())
	done := make(chan error, 1)
	go func() {
		err := server.Handshake()
		if err == nil {
			_, err = server.Write([]byte("x")) // tickets come before it
		}
		done <- err
	}()
	client := tls.Client(here, c)
	err := client.Handshake()
	if err == nil {
		_, err = client.Read(make([]byte, 1))
	}
	here.Close()
	if failed := <-done; err == nil {
		err = failed
	}
	return client.ConnectionState(), err
}

// ends are those of a connection with buffers: both sides of a handshake may
// write at once.
func ends(t *testing.T) (here, there net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if here, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if there, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return here, there
}

// shown is the first name on the certificate that a client sees who asks for
// name.
func (s *stage) shown(name string) string {
	s.t.Helper()
	st, err := s.agree(&tls.Config{ServerName: name, InsecureSkipVerify: true})
	if err != nil {
		s.t.Fatal(err)
	}
	return st.PeerCertificates[0].DNSNames[0]
}

func TestTheNameChoosesTheCertificate(t *testing.T) {
	s := newStage(t, Options{}, "first.test", "*.wild.test,wild.test", "a.wild.test", "UPPER.test")
	f := func(name, want string, unknown uint64) {
		t.Helper()
		s.Stats.Unknown.Store(0)
		if got := s.shown(name); got != want || s.Stats.Unknown.Load() != unknown {
			t.Errorf("%q: %s, %d unknown, want %s, %d", name, got, s.Stats.Unknown.Load(), want, unknown)
		}
	}
	f("first.test", "first.test", 0)
	f("FIRST.test", "first.test", 0)
	f("upper.test", "UPPER.test", 0)
	f("a.wild.test", "a.wild.test", 0) // exact beats wildcard
	f("b.wild.test", "*.wild.test", 0)
	f("wild.test", "*.wild.test", 0)
	f("a.b.wild.test", "first.test", 1) // a wildcard is for one label
	f("other.test", "first.test", 1)
	f("test", "first.test", 1)
	f("", "first.test", 0) // no name is no wrong name
}

func TestAReplacedPairIsTaken(t *testing.T) {
	s := newStage(t, Options{}, "a.test", "b.test")
	before := s.Config()
	s.look(false)
	if s.Config() != before {
		t.Error("another Config with nothing changed")
	}
	s.ca.Files(s.dir, "b.test", "new.test")
	s.look(false)
	if got := s.shown("new.test"); got != "new.test" {
		t.Errorf("still %s", got)
	}
	if got := s.shown("a.test"); got != "a.test" {
		t.Errorf("a.test has %s", got)
	}
	if n := s.log.count("certificate loaded"); n != 3 {
		t.Errorf("%d lines", n)
	}
}

func TestABrokenPairKeepsTheOldAndIsToldOnce(t *testing.T) {
	f := func(name string, spoil func(*stage), want string) {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, Options{}, "a.test")
			spoil(s)
			for range 3 {
				s.look(false)
			}
			s.Reload()
			if got := s.shown("a.test"); got != "a.test" {
				t.Errorf("shown: %s", got)
			}
			if n := s.log.count("cannot be used"); n != 1 || s.log.count(want) != 1 || s.Stats.Failed.Load() != 1 {
				t.Errorf("%d lines, %d counted, want one with %q:\n%s", n, s.Stats.Failed.Load(), want, s.log.text.String())
			}
			s.ca.Files(s.dir, "a.test", "mended.test")
			s.look(false)
			if got := s.shown("a.test"); got != "mended.test" {
				t.Errorf("mended, but still %s", got)
			}
		})
	}
	put := func(name, text string) func(*stage) {
		return func(s *stage) {
			if err := os.WriteFile(s.dir+"/"+name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	f("cut short", func(s *stage) { os.Truncate(s.dir+"/a.test.pem", 100) }, "no certificate in it")
	f("empty", put("a.test.pem", ""), "no certificate in it")
	f("no key", put("a.test.key", "text"), "no private key in it")
	f("key gone", func(s *stage) { os.Remove(s.dir + "/a.test.key") }, "no such file")
	f("half replaced", func(s *stage) {
		s.ca.Files(s.dir, "c", "c.test")
		os.Rename(s.dir+"/c.pem", s.dir+"/a.test.pem")
	}, "is another certificate's key")
	f("damaged", put("a.test.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "x509: malformed")
}

func TestALinkThatPointsElsewhereIsTaken(t *testing.T) { // as Kubernetes mounts secrets
	s := newStage(t, Options{}, "a.test")
	s.ca.Files(s.dir, "new", "new.test")
	for _, end := range []string{".pem", ".key"} {
		os.Remove(s.dir + "/a.test" + end)
		if err := os.Symlink("new"+end, s.dir+"/a.test"+end); err != nil {
			t.Fatal(err)
		}
	}
	s.look(false)
	if got := s.shown(""); got != "new.test" {
		t.Error(got)
	}
}

func TestRunTakesWhatIsReplaced(t *testing.T) {
	s := newStage(t, Options{Every: 10 * time.Millisecond}, "a.test")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	s.ca.Files(s.dir, "a.test", "new.test")
	for end := time.Now().Add(10 * time.Second); s.shown("") != "new.test"; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain")
		}
	}
	stop()
	<-done
}

func TestExpiredIsToldOnceAndShown(t *testing.T) {
	ca, dir := certstest.NewCA(t), t.TempDir()
	cert, key := certstest.Write(t, ca.Issue(-time.Hour, "a.test"), dir, "a")
	var log lines
	s, err := New(Options{Pairs: []Pair{{Cert: cert, Key: key}}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.look(false)
	if n := log.count("certificate has expired"); n != 1 {
		t.Errorf("%d lines", n)
	}
	s.Each(func(name string, expires time.Time) {
		if name != cert || time.Since(expires) < time.Hour {
			t.Errorf("%s expires %s", name, expires)
		}
	})
}

func TestAllThatIsWrongAtStartIsTold(t *testing.T) {
	_, err := New(Options{Pairs: []Pair{{Cert: "none.pem", Key: "none.key"}, {Cert: "also.pem", Key: "also.key"}}, ClientCA: "ca.pem", Log: slog.New(slog.DiscardHandler)})
	for _, want := range []string{"none.pem", "also.pem", "ca.pem"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a Store of nothing")
	}
}

func TestSelfSignedIsForLocalhost(t *testing.T) {
	s := newStage(t, Options{SelfSigned: true})
	leaf := s.now.Load().shown[0].cert.Leaf
	for _, name := range []string{"localhost", "app.localhost", "127.0.0.1", "::1"} {
		if err := leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	before := s.Config()
	if s.Reload(); s.Config() != before {
		t.Error("made anew with most of its life before it")
	}
	s.kept[0].source.(*selfSigned).until = time.Now().Add(selfSpare - time.Minute)
	if s.look(false); s.Config() == before {
		t.Error("not made anew")
	}
}

func TestClientsMustShowACertificateThatIsVouchedFor(t *testing.T) {
	dir := t.TempDir()
	ours, others := certstest.NewCA(t), certstest.NewCA(t)
	file := ours.File(dir, "ca.pem")
	s := newStage(t, Options{ClientCA: file}, "a.test")
	good, foreign, old := ours.Issue(time.Hour, "client"), others.Issue(time.Hour, "client"), ours.Issue(-time.Hour, "client")
	f := func(what string, c *tls.Certificate, ok bool) {
		t.Helper()
		conf := &tls.Config{InsecureSkipVerify: true}
		if c != nil {
			conf.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return c, nil }
		}
		if _, err := s.agree(conf); (err == nil) != ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("good", &good, true)
	f("none", nil, false)
	f("of another authority", &foreign, false)
	f("expired", &old, false)
	session := &tls.Config{InsecureSkipVerify: true, ServerName: "a.test", ClientSessionCache: tls.NewLRUClientSessionCache(1), Certificates: []tls.Certificate{good}}
	for _, resumes := range []bool{false, true} {
		if st, err := s.agree(session); err != nil || st.DidResume != resumes {
			t.Errorf("resumed %v, %v", st.DidResume, err)
		}
	}
	others.File(dir, "ca.pem")
	s.look(false)
	if _, err := s.agree(session); err == nil {
		t.Error("a session outlives the trust it was made on")
	}
	f("good, of the authority before", &good, false)
	f("of the authority now", &foreign, true)
	os.WriteFile(file, nil, 0o600)
	s.look(false)
	s.look(false)
	f("with a broken file", &foreign, true)
	if n := s.log.count("client CA cannot be used"); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestSessionsAreResumedOverReloadsAndTwoRotations(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := newStage(t, Options{}, "a.test")
		cache := tls.NewLRUClientSessionCache(1)
		f := func(when string, want bool, keep bool) {
			t.Helper()
			c := cache
			if keep { // the session it has, not the next
				c = tls.NewLRUClientSessionCache(1)
				had, _ := cache.Get("a.test")
				c.Put("a.test", had)
			}
			st, err := s.agree(&tls.Config{ServerName: "a.test", RootCAs: s.ca.Pool(), ClientSessionCache: c, MaxVersion: version})
			if err != nil || st.DidResume != want {
				t.Errorf("%x, %s: resumed %v, %v", version, when, st.DidResume, err)
			}
		}
		age := func() {
			s.mu.Lock()
			s.tickets.since = s.tickets.since.Add(-TicketAge)
			s.mu.Unlock()
			s.look(false)
		}
		f("at first", false, false)
		f("again", true, true)
		s.Reload()
		f("after a reload", true, true)
		age()
		f("after a rotation", true, true)
		age()
		f("after two", true, true)
		age()
		f("after three", false, true)
	}
}
