//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// tlsClients are at work at once in a slice: few, for each question is what it costs the server.
const tlsClients = 8

// tlsQuestion is one thing that is asked of all servers in turn.
type tlsQuestion struct {
	name, unit string
	open       func(addr string) (tlsClient, error)
}

// tlsClient does a thing once; done tells how often that counts.
type tlsClient interface {
	once(end time.Time) (done int64, err error)
	Close() error
}

// handshakes measures what TLS costs: handshakes, and requests by HTTP/1.1 and HTTP/2. The
// certificate is of ECDSA P-256, the key exchange X25519 for all: a client that offers
// X25519MLKEM768, as browsers do, gets it of ours and Caddy's and pays for it, of the others' OpenSSL not.
func handshakes(ctx context.Context, f *Field) error {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(tlsBody) }))
	defer origin.Close()
	cert, err := tlsCertificate()
	if err != nil {
		return err
	}
	f.table = [][]string{{"what", "server", "round", "cpu_us"}}
	var turns []*tlsTurn
	defer func() {
		for _, t := range turns {
			t.p.stop()
		}
	}()
	f.Servers = f.tlsServers()
	for _, s := range f.Servers {
		t, err := f.tlsStart(s, origin.Listener.Addr().(*net.TCPAddr).Port, cert)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		turns = append(turns, t)
	}
	for _, q := range tlsQuestions {
		if err := f.tlsAsk(ctx, &q, turns); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}

var tlsBody = bytes.Repeat([]byte("x"), 1<<10)

var tlsQuestions = []tlsQuestion{
	{"full handshakes, TLS 1.3", "handshake", func(addr string) (tlsClient, error) { return newShaker(addr, false) }},
	{"resumed handshakes, TLS 1.3", "handshake", func(addr string) (tlsClient, error) { return newShaker(addr, true) }},
	{"requests kept alive, HTTP/1.1", "request", func(addr string) (tlsClient, error) { return newAsker(addr) }},
	{"requests by h2load, 4 connections of 10 streams", "request", func(addr string) (tlsClient, error) { return h2load{addr}, nil }},
}

// tlsTurn is a server with its costs by round, in microseconds of CPU time.
type tlsTurn struct {
	*Server
	p    *Process
	cost []float64
}

func (f *Field) tlsServers() []*Server {
	return []*Server{f.Ours, nginx("nginx", "nginx-tls.conf"), haproxy("haproxy", "haproxy-tls.cfg"), caddy("caddy-tls.conf")}
}

func (f *Field) tlsStart(s *Server, origin int, cert []byte) (*tlsTurn, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(f.Dir, s.Name+"-")
	if err != nil {
		return nil, err
	}
	os.Chmod(dir, 0o755)
	pair := filepath.Join(dir, "pair.pem")
	if err := os.WriteFile(pair, cert, 0o644); err != nil {
		return nil, err
	}
	at := place{Dir: dir, Port: port, Origin: origin}
	if s.Ours {
		of := *s
		of.args = func(at place) ([]string, error) {
			return []string{"--listen", "none", "--tls-listen", fmt.Sprintf("%s:%d", loopback, at.Port), "--tls-cert", pair,
				"--upstream", fmt.Sprintf("http://%s:%d", loopback, at.Origin), "--access-log", "off"}, nil
		}
		s = &of
	}
	p, err := s.start(f.CPU, at)
	return &tlsTurn{Server: s, p: p}, err
}

// tlsAsk asks one thing of all, in slices that alternate.
func (f *Field) tlsAsk(ctx context.Context, q *tlsQuestion, turns []*tlsTurn) error {
	clients := make([][]tlsClient, len(turns))
	defer func() {
		for _, c := range slices.Concat(clients...) {
			_ = c.Close()
		}
	}()
	for i, t := range turns {
		t.cost = nil
		for range tlsClients {
			c, err := q.open(t.p.addr())
			if err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
			clients[i] = append(clients[i], c)
			if _, ok := c.(h2load); ok {
				break // it has clients of its own
			}
		}
		if _, _, err := t.slice(clients[i], wsSlice); err != nil { // warm
			return fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	for n := range f.Rounds {
		done, cpu := make([]int64, len(turns)), make([]time.Duration, len(turns))
		for i := range int(f.Time / wsSlice) {
			for j := range turns {
				k := (i + j) % len(turns)
				d, c, err := turns[k].slice(clients[k], wsSlice)
				if err != nil || ctx.Err() != nil {
					return fmt.Errorf("%s: %w", turns[k].Name, errors.Join(err, ctx.Err()))
				}
				done[k] += d
				cpu[k] += c
			}
		}
		for k, t := range turns {
			t.cost = append(t.cost, float64(cpu[k].Nanoseconds())/1e3/float64(done[k]))
			f.table = append(f.table, []string{q.name, t.Name, strconv.Itoa(n + 1), fmt.Sprintf("%.2f", t.cost[n])})
		}
	}
	f.tlsReport(q, turns)
	return nil
}

func (t *tlsTurn) slice(clients []tlsClient, d time.Duration) (done int64, cpu time.Duration, err error) {
	before, err := usage(t.p.pid())
	if err != nil {
		return 0, 0, err
	}
	var all sync.WaitGroup
	var total atomic.Int64
	var failed atomic.Pointer[error]
	end := time.Now().Add(d)
	for _, c := range clients {
		all.Go(func() {
			for time.Now().Before(end) {
				n, err := c.once(end)
				if err != nil {
					failed.Store(&err)
					return
				}
				total.Add(n)
			}
		})
	}
	all.Wait()
	after, err := usage(t.p.pid())
	if e := failed.Load(); e != nil {
		err = *e
	}
	return total.Load(), after.minus(before).CPU, err
}

func (f *Field) tlsReport(q *tlsQuestion, turns []*tlsTurn) {
	rows := [][]string{{q.name, "CPU µs a " + q.unit, "lowest–highest", q.unit + "s per CPU second", "ours to it, by round"}}
	for _, t := range turns {
		var ratio []float64
		for i := range t.cost {
			ratio = append(ratio, turns[0].cost[i]/t.cost[i])
		}
		rows = append(rows, []string{t.Name, fmt.Sprintf("%.1f", middle(t.cost)), fmt.Sprintf("%.1f–%.1f", slices.Min(t.cost), slices.Max(t.cost)),
			fmt.Sprintf("%.0f", 1e6/middle(t.cost)), fmt.Sprintf("%.2f (%.2f–%.2f)", middle(ratio), slices.Min(ratio), slices.Max(ratio))})
	}
	f.lines(rows)
}

// tlsCertificate is certificate and key in PEM, ECDSA P-256.
func tlsCertificate() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), nil
}

func tlsConfig() *tls.Config {
	return &tls.Config{ServerName: "localhost", InsecureSkipVerify: true, MinVersion: tls.VersionTLS13,
		CurvePreferences: []tls.CurveID{tls.X25519}, NextProtos: []string{"http/1.1"}}
}

// shaker makes handshakes. Each ends when the server has said so: it has done all its work then.
type shaker struct {
	addr    string
	conf    *tls.Config
	resumes bool
}

func newShaker(addr string, resumes bool) (*shaker, error) {
	s := &shaker{addr: addr, conf: tlsConfig()}
	if resumes {
		s.conf.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		if _, err := s.once(time.Time{}); err != nil { // has no session yet
			return nil, err
		}
		s.resumes = true
	}
	return s, nil
}

var errNotResumed = errors.New("a session was not resumed")

func (s *shaker) once(time.Time) (int64, error) {
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	c := tls.Client(nc, s.conf)
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	if s.resumes && !c.ConnectionState().DidResume {
		return 0, errNotResumed
	}
	if err := c.CloseWrite(); err != nil {
		return 0, err
	}
	_ = nc.SetReadDeadline(time.Now().Add(2 * time.Second))
	_, _ = io.Copy(io.Discard, c) // with tickets in front; it may end in any way
	return 1, nil
}

func (s *shaker) Close() error { return nil }

// asker sends requests on one connection.
type asker struct {
	*tls.Conn
	in *bufio.Reader
}

func newAsker(addr string) (*asker, error) {
	c, err := tls.Dial("tcp", addr, tlsConfig())
	if err != nil {
		return nil, err
	}
	return &asker{c, bufio.NewReader(c)}, nil
}

func (a *asker) once(time.Time) (int64, error) {
	if _, err := io.WriteString(a.Conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(a.in, nil)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(io.Discard, res.Body)
	if res.StatusCode != 200 || n != int64(len(tlsBody)) {
		err = fmt.Errorf("%s with %d bytes", res.Status, n)
	}
	return 1, err
}

// h2load is nghttp2's client, once for a slice.
type h2load struct{ addr string }

const h2Requests = 500

var h2Done = regexp.MustCompile(`(\d+) succeeded, (\d+) failed`)

func (h h2load) once(time.Time) (int64, error) {
	out, err := exec.Command("h2load", "-n", strconv.Itoa(h2Requests), "-c", "4", "-m", "10", "https://"+h.addr+"/").CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("h2load: %w: %s", err, out)
	}
	m := h2Done.FindSubmatch(out)
	if m == nil || string(m[1]) != strconv.Itoa(h2Requests) {
		return 0, fmt.Errorf("h2load: %s", out)
	}
	return h2Requests, nil
}

func (h h2load) Close() error { return nil }
