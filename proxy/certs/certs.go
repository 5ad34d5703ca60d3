package certs

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Store is a set of certificates that is kept up to date.
type Store struct {
	opt Options
	now atomic.Pointer[snapshot]

	mu      sync.Mutex // one change at a time
	kept    []*kept    // guarded by mu, as are the others; in the operator's order
	clients *roots     // nil: clients are not asked who they are
	tickets tickets

	Stats Stats
}

// snapshot is what those read who do not change anything. It is never edited,
// but for the config's ticket keys, which have a lock of their own.
type snapshot struct {
	config *tls.Config
	shown  []shown
}

type shown struct {
	name string
	cert *tls.Certificate
}

// Options say what is in a Store.
type Options struct {
	Pairs      []Pair
	Issued     Issued        // behind the pairs; nil: none
	SelfSigned bool          // one for localhost, behind all others
	ClientCA   string        // file of who vouches for clients, each of which must then show a certificate; "": they are not asked
	ClientMay  bool          // they need not show one; what they show must be good
	Protocols  []string      // that are agreed on by ALPN, the best first
	Shared     Shared        // ticket keys of all nodes; nil: each has its own
	Every      time.Duration // between two looks at the files, give or take a quarter; 0: 5 s
	Log        *slog.Logger  // nil: slog.Default()
}

// Pair is the files of one certificate, in PEM.
type Pair struct {
	Cert        string // with those between it and its root
	Key         string // may be the same file
	Passphrases string // file of passphrases for encrypted keys, one in each line; "": none
}

// Stats are a Store's counters.
type Stats struct {
	Loaded  atomic.Uint64 // certificates, at start and later
	Failed  atomic.Uint64 // times that what lay on the disk was found broken
	Unknown atomic.Uint64 // clients that asked for a name that no certificate has
}

const defaultEvery = 5 * time.Second

// New loads all certificates, and fails unless all of them can be used, but
// for those of Issued. The error tells of each that cannot.
func New(o Options) (*Store, error) {
	o.Every, o.Log = cmp.Or(o.Every, defaultEvery), cmp.Or(o.Log, slog.Default())
	s := &Store{opt: o}
	for _, p := range o.Pairs {
		s.kept = append(s.kept, &kept{source: &pair{Pair: p}})
	}
	if o.Issued != nil {
		for _, n := range o.Issued.Names() {
			s.kept = append(s.kept, &kept{source: &issued{domain: n, from: o.Issued}})
		}
	}
	if o.SelfSigned {
		s.kept = append(s.kept, &kept{source: &selfSigned{}})
	}
	if len(s.kept) == 0 {
		return nil, errors.New("no certificate")
	}
	if o.ClientCA != "" {
		s.clients = &roots{path: o.ClientCA}
	}
	s.tickets.settle(time.Now())
	return s, s.first()
}

func (s *Store) first() error {
	var errs []error
	for _, k := range s.kept {
		if _, err := k.look(s, true); err != nil {
			errs = append(errs, err)
		}
	}
	if s.clients != nil {
		if _, err := s.clients.look(true); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", s.clients.path, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	s.publish()
	return nil
}

// Config is how to speak TLS with a client that connects now.
func (s *Store) Config() *tls.Config { return s.now.Load().config }

// publish makes a Config of what there is. Called with mu held.
func (s *Store) publish() {
	n := &snapshot{}
	for _, k := range s.kept {
		if k.cert != nil {
			n.shown = append(n.shown, shown{k.name(), k.cert})
		}
	}
	n.config = &tls.Config{
		GetCertificate: newIndex(n.shown, &s.Stats.Unknown).choose,
		NextProtos:     s.opt.Protocols,
		MinVersion:     tls.VersionTLS12,
		CipherSuites:   suites,
	}
	if s.clients != nil {
		n.config.ClientAuth, n.config.ClientCAs = tls.RequireAndVerifyClientCert, s.clients.pool
		if s.opt.ClientMay {
			n.config.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	if s.opt.Issued != nil {
		prove(n.config, s.opt.Issued)
	}
	n.config.SetSessionTicketKeys(s.tickets.set)
	s.now.Store(n)
}

// suites are those of TLS 1.2: forward secrecy and authenticated encryption, as
// Mozilla's intermediate profile has them. Package tls would offer CBC beside
// them, which has had its Lucky Thirteen and is for clients of before 2014.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Reload looks at all files at once, whether they seem changed or not.
func (s *Store) Reload() { s.look(true) }

func (s *Store) look(forced bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := false
	for _, k := range s.kept {
		fresh, _ := k.look(s, forced) // it has been told
		changed = changed || fresh
	}
	if s.clients != nil {
		changed = s.lookAtClients(forced) || changed
	}
	fresh := s.tickets.settle(time.Now())
	switch {
	case changed:
		s.publish()
	case fresh:
		s.Config().SetSessionTicketKeys(s.tickets.set)
	}
}

// lookAtClients is look for who vouches for clients. Called with mu held.
func (s *Store) lookAtClients(forced bool) (changed bool) {
	changed, err := s.clients.look(forced)
	switch {
	case s.clients.repeats(err):
	case err != nil:
		s.Stats.Failed.Add(1)
		s.opt.Log.Warn("client CA cannot be used, the one before is kept", "file", s.clients.path, "cause", err)
	case changed:
		s.opt.Log.Info("client CA loaded", "file", s.clients.path)
	}
	return changed
}

// Run looks at the files again and again, and changes the keys of session
// tickets, until ctx is done.
func (s *Store) Run(ctx context.Context) {
	var changed <-chan struct{}
	if s.opt.Issued != nil {
		changed = s.opt.Issued.Changed()
	}
	for {
		s.share(ctx)
		s.look(false)
		// Jitter, so that nodes that share a disk do not ask all at once.
		t := time.NewTimer(s.opt.Every*3/4 + rand.N(s.opt.Every/2))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-changed:
			t.Stop()
		}
	}
}

// Present is a tls.Config's GetClientCertificate: for a Store of what we show
// to servers. It is shown even if the server does not seem to want it: its
// refusal says more than our silence.
func (s *Store) Present(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return s.now.Load().shown[0].cert, nil
}

// Each calls f with the name of each certificate's source and when it expires.
func (s *Store) Each(f func(name string, expires time.Time)) {
	for _, c := range s.now.Load().shown {
		f(c.name, c.cert.Leaf.NotAfter)
	}
}
