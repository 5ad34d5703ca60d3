package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"multiserver/proxy/certs/certstest"
)

// desk is an Issued of a.test.
type desk struct {
	cert    atomic.Pointer[tls.Certificate]
	proof   *tls.Certificate
	changed chan struct{}
}

func (d *desk) Names() []string                     { return []string{"a.test"} }
func (d *desk) Certificate(string) *tls.Certificate { return d.cert.Load() }
func (d *desk) Changed() <-chan struct{}            { return d.changed }

func (d *desk) Prove(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if h.ServerName != "a.test" {
		return nil, errors.New("no order")
	}
	return d.proof, nil
}

func TestIssuedCertificatesComeLater(t *testing.T) {
	ca := certstest.NewCA(t)
	issue := func() *tls.Certificate { c := ca.Issue(time.Hour, "a.test"); return &c }
	d := &desk{changed: make(chan struct{})}
	s := newStage(t, Options{Issued: d, Every: time.Hour})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { s.Run(ctx); close(done) }()
	defer func() { stop(); <-done }()
	insecure := &tls.Config{ServerName: "a.test", InsecureSkipVerify: true}
	if _, err := s.agree(insecure); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("without a certificate: %v", err)
	}
	n := 0
	s.Each(func(string, time.Time) { n++ })
	if n != 0 {
		t.Errorf("%d expire", n)
	}
	for range 2 { // the second is a renewal
		c := issue()
		d.cert.Store(c)
		d.changed <- struct{}{}
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
			state, err := s.agree(insecure)
			if err == nil && state.PeerCertificates[0].Equal(c.Leaf) {
				break
			}
			if time.Now().After(end) {
				t.Fatal("it is not taken")
			}
		}
	}
	s.Each(func(name string, expires time.Time) {
		if name != "acme:a.test" || time.Until(expires) > time.Hour {
			t.Errorf("%s %v", name, expires)
		}
	})
}

func TestOnlyWhoWantsAProofGetsIt(t *testing.T) {
	ca := certstest.NewCA(t)
	proof := ca.Issue(time.Hour, "proof.test")
	d := &desk{proof: &proof}
	file := ca.File(t.TempDir(), "ca.pem")
	s := newStage(t, Options{Issued: d, ClientCA: file, Protocols: []string{"h2"}}, "b.test")
	f := func(name, want string, protocols ...string) {
		t.Helper()
		state, err := s.agree(&tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: protocols})
		got := "nothing"
		if err == nil {
			got = state.PeerCertificates[0].DNSNames[0] + " " + state.NegotiatedProtocol
		}
		if got != want {
			t.Errorf("%s %v: %s, want %s", name, protocols, got, want)
		}
	}
	f("a.test", "proof.test acme-tls/1", proofProtocol)
	f("c.test", "nothing", proofProtocol)
	f("a.test", "nothing", proofProtocol, "h2") // as any client: it has no certificate to show
	f("a.test", "nothing", "h2")
	f("a.test", "nothing")
}

func TestNamesWithoutCertificateSeeTheOthers(t *testing.T) {
	s := newStage(t, Options{Issued: &desk{}}, "b.test")
	if got := s.shown("a.test"); got != "b.test" {
		t.Error(got)
	}
}
