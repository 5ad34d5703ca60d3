package acme

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/rueidis"
	"go.uber.org/zap"
)

// Authority is who vouches for names, as this node knows it.
type Authority struct {
	opt     Options
	names   map[string]bool
	cache   *certmagic.Cache
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	client  *http.Client // asks whether the authority is there
	board   *board       // nil: in a directory
	changed chan struct{}
}

// Options are fixed for the life of an Authority.
type Options struct {
	Names []string       // in lower case, without wildcards
	Email string         // told to the authority, which may warn there; "": none
	CA    string         // URL of its directory; "": Let's Encrypt
	Roots *x509.CertPool // whom to believe that it is the authority; nil: whom the machine trusts

	Dir    string                // where everything is kept, unless Redis is set
	Redis  *rueidis.ClientOption // where nodes keep it together; nil: in Dir
	Prefix string                // of keys there

	Log *slog.Logger // nil: slog.Default()
}

// DefaultCA is where certificates are ordered unless Options say otherwise.
const DefaultCA = certmagic.LetsEncryptProductionCA

const (
	storeTime  = 2 * time.Second  // for Redis, or a disk, to answer
	renewEvery = 10 * time.Minute // between two looks at what is to be renewed
)

// New takes what was ordered before; nothing is ordered yet. The error is of a
// directory that cannot be used: Redis may come later.
func New(o Options) (*Authority, error) {
	o.CA, o.Log = cmp.Or(o.CA, DefaultCA), cmp.Or(o.Log, slog.Default())
	a := &Authority{opt: o, names: map[string]bool{}, changed: make(chan struct{}, 1)}
	for _, n := range o.Names {
		a.names[n] = true
	}
	storage, err := a.storage()
	if err != nil {
		return nil, err
	}
	a.client = &http.Client{Transport: &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		TLSClientConfig:   &tls.Config{RootCAs: o.Roots},
		DisableKeepAlives: true, // it is asked once, when there is something to order
	}}
	a.prepare(storage)
	a.takeKept()
	return a, nil
}

func (a *Authority) storage() (certmagic.Storage, error) {
	if a.opt.Redis != nil {
		a.board = newBoard(*a.opt.Redis, a.opt.Prefix, a.opt.Log)
		return a.board, nil
	}
	if err := os.MkdirAll(a.opt.Dir, 0o700); err != nil {
		return nil, err
	}
	// What cannot be written is to be known before it has been ordered.
	f, err := os.CreateTemp(a.opt.Dir, ".writable-")
	if err != nil {
		return nil, err
	}
	return &certmagic.FileStorage{Path: a.opt.Dir}, errors.Join(f.Close(), os.Remove(f.Name()))
}

func (a *Authority) prepare(storage certmagic.Storage) {
	lines := zap.New(core{a.opt.Log.Handler()})
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert:   func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil },
		RenewCheckInterval: renewEvery,
		Logger:             lines,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage: storage,
		OnEvent: a.note,
		// It would be fetched over the network while a certificate is loaded,
		// from authorities that have all but given it up.
		OCSP:   certmagic.OCSPConfig{DisableStapling: true},
		Logger: lines,
	})
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA:           a.opt.CA,
		Email:        a.opt.Email,
		Agreed:       true, // as the documentation of --acme says
		TrustedRoots: a.opt.Roots,
		Logger:       lines,
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
}

// takeKept loads what there is, so that it serves from the first connection on.
func (a *Authority) takeKept() {
	ctx, cancel := context.WithTimeout(context.Background(), storeTime)
	defer cancel()
	for _, n := range a.opt.Names {
		_, err := a.config.CacheManagedCertificate(ctx, n)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			a.opt.Log.Warn("certificate cannot be loaded yet", "name", n, "cause", err)
		}
	}
}

// Ports is where proofs can be given; 0: not by this means. It is called before
// Run. host is that of the listeners, "" if they have several.
func (a *Authority) Ports(host string, http01, alpn01 int) {
	i := a.issuer
	i.ListenHost, i.AltHTTPPort, i.AltTLSALPNPort = host, http01, alpn01
	i.DisableHTTPChallenge, i.DisableTLSALPNChallenge = http01 == 0, alpn01 == 0
}

// Run orders what is missing until ctx is done. It is called once at most.
func (a *Authority) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, n := range a.opt.Names {
		wg.Go(func() { a.keep(ctx, n) })
	}
	<-ctx.Done()
	wg.Wait()
}

// Close ends renewals. Nothing is called after it.
func (a *Authority) Close() {
	a.cache.Stop()
	a.client.CloseIdleConnections()
	if a.board != nil {
		a.board.close()
	}
}

// Names are those of Options.
func (a *Authority) Names() []string { return a.opt.Names }

// Changed gets something after there is a certificate that was not there.
func (a *Authority) Changed() <-chan struct{} { return a.changed }

// Certificate is the one for a name; nil: there is none yet. It must not be
// edited.
func (a *Authority) Certificate(name string) *tls.Certificate {
	var newest *tls.Certificate
	for _, c := range a.cache.AllMatchingCertificates(name) {
		if newest == nil || c.Leaf.NotAfter.After(newest.Leaf.NotAfter) {
			newest = &c.Certificate
		}
	}
	return newest
}

// note tells the operator, and whoever waits for Changed, of what certmagic
// does.
func (a *Authority) note(_ context.Context, event string, data map[string]any) error {
	name := data["identifier"]
	switch event {
	case "cert_obtaining":
		a.opt.Log.Info("certificate is being ordered", "name", name, "ca", a.opt.CA)
	case "cert_obtained":
		a.opt.Log.Info("certificate issued", "name", name)
	case "cert_failed":
		a.opt.Log.Warn("certificate not issued, the order is tried again later", "name", name, "cause", fmt.Sprint(data["error"]))
	case "cached_managed_cert":
		select {
		case a.changed <- struct{}{}:
		default: // whoever comes sees this one, too
		}
	}
	return nil
}
