package grpctest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"multiserver/proxy/binarytest"
)

func TestMain(m *testing.M) { binarytest.Main(m) }

// identity is a certificate for this machine, which vouches for itself.
type identity struct {
	cert tls.Certificate
	pool *x509.CertPool
	file string // certificate and key
}

func newIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	must(t, err)
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	var b bytes.Buffer
	_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	_ = pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: raw})
	id := &identity{pool: x509.NewCertPool(), file: filepath.Join(t.TempDir(), "id.pem")}
	must(t, os.WriteFile(id.file, b.Bytes(), 0o600))
	id.cert, err = tls.X509KeyPair(b.Bytes(), b.Bytes())
	must(t, err)
	id.pool.AppendCertsFromPEM(b.Bytes())
	return id
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// front is where the program is.
type front struct{ addr string }

// startFront runs the program before an upstream.
func startFront(t *testing.T, id *identity, args ...string) *front {
	t.Helper()
	if id == nil {
		return &front{binarytest.Start(t, append(args, "--listen", "127.0.0.1:0")...).Plain()}
	}
	return &front{binarytest.Start(t, append(args, "--listen", "none", "--tls-listen", "127.0.0.1:0", "--tls-cert", id.file, "--upstream-ca", id.file)...).Secure()}
}

func (f *front) dial(t *testing.T, id *identity) *grpc.ClientConn {
	t.Helper()
	creds := insecure.NewCredentials()
	if id != nil {
		creds = credentials.NewClientTLSFromCert(id.pool, "localhost")
	}
	cc, err := grpc.NewClient("passthrough:///"+f.addr, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(8<<20)))
	must(t, err)
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

const patience = binarytest.Patience

// until waits for what is to become true.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// call is a client's stream.
type call struct {
	t *testing.T
	grpc.ClientStream
}

func begin(t *testing.T, ctx context.Context, cc *grpc.ClientConn, name string) call {
	t.Helper()
	s, err := cc.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/test.Echo/"+name)
	must(t, err)
	return call{t, s}
}

func (c call) send(s string) {
	c.t.Helper()
	must(c.t, c.SendMsg(bytesOf(s)))
}

func (c call) receive() (string, error) {
	var m msg
	err := c.RecvMsg(&m)
	return string(m.Value), err
}

func (c call) want(s string) {
	c.t.Helper()
	if got, err := c.receive(); got != s || err != nil {
		c.t.Fatalf("%.40q, %v; want %.40q", got, err, s)
	}
}
