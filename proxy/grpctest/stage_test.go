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
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// binary is the program, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "grpctest")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "multiserver")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

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

// front is the program under way.
type front struct {
	addr string
	log  bytes.Buffer // read when it has ended
}

// startFront runs the program before u.
func startFront(t *testing.T, id *identity, args ...string) *front {
	t.Helper()
	f := &front{addr: freeAddr(t)}
	if id == nil {
		args = append(args, "--listen", f.addr)
	} else {
		args = append(args, "--listen", "none", "--tls-listen", f.addr, "--tls-cert", id.file, "--upstream-ca", id.file)
	}
	cmd := exec.Command(binary, args...)
	cmd.Stderr = &f.log
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if t.Failed() || testing.Verbose() {
			t.Logf("the program's log:\n%s", f.log.String())
		}
	})
	until(t, "it listens", func() bool {
		nc, err := net.Dial("tcp", f.addr)
		if err == nil {
			_ = nc.Close()
		}
		return err == nil
	})
	return f
}

func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	return ln.Addr().String()
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

// patience is far more than anything here takes; it ends a test that hangs.
const patience = 30 * time.Second

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
