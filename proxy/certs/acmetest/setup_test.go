package acmetest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is far more than anything here takes; it ends a test that hangs.
const patience = 45 * time.Second

var programs string // the directory of what TestMain built

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "acmetest-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		programs = dir
		for _, b := range []struct{ name, in, what string }{
			{"multiserver", "../../..", "."},
			{"pebble", ".", "github.com/letsencrypt/pebble/v2/cmd/pebble"},
			{"dns", ".", "github.com/letsencrypt/pebble/v2/cmd/pebble-challtestsrv"},
		} {
			// Without version control's note, which fails in another user's checkout.
			cmd := exec.Command("go", "build", "-buildvcs=false", "-o", filepath.Join(dir, b.name), b.what)
			cmd.Dir = b.in
			if out, err := cmd.CombinedOutput(); err != nil {
				panic(b.name + ": " + string(out))
			}
		}
		return m.Run()
	}())
}

// process is a program that runs until the test ends, and what it has said.
type process struct {
	t   *testing.T
	cmd *exec.Cmd

	mu   sync.Mutex
	said bytes.Buffer
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

func run(t *testing.T, env []string, program string, args ...string) *process {
	t.Helper()
	if !strings.Contains(program, "/") {
		program = filepath.Join(programs, program)
	}
	p := &process{t: t, cmd: exec.Command(program, args...)}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MULTISERVER_") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), p)
		}
	})
	return p
}

// stop ends it as an operator would.
func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	_ = p.cmd.Process.Signal(os.Interrupt)
	late := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	_ = p.cmd.Wait()
}

// says waits for a line.
func (p *process) says(line string) {
	p.t.Helper()
	until(p.t, line, func() bool { return p.count(line) > 0 })
}

func (p *process) count(line string) int {
	return len(regexp.MustCompile(line).FindAllString(p.String(), -1))
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// addr is an address of loopback that is refused while nobody listens there. One
// that was found free and let go would be anybody's: here its port stays bound,
// never listened on, until the test ends. Who listens sets SO_REUSEADDR, as Go
// and Redis do.
func addr(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	name, _ := syscall.Getsockname(fd)
	if err != nil || name == nil {
		t.Fatal("no port: ", err)
	}
	return fmt.Sprint("127.0.0.1:", name.(*syscall.SockaddrInet4).Port)
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

func connects(addr string) bool {
	nc, err := new(net.Dialer).DialContext(context.Background(), "tcp", addr)
	if err == nil {
		_ = nc.Close()
	}
	return err == nil
}

// localhost writes a certificate that vouches for itself, and its key.
func localhost(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	like := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, like, like, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(k)
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", pkcs8)
}

// authority is Pebble, and the DNS server it asks.
type authority struct {
	t            *testing.T
	*process            // Pebble; nil: it is not running
	api, manage  string // addresses
	root, config string // files
	dns          string
	secure       string // where it looks for TLS-ALPN-01's proofs
	plain        string // and for HTTP-01's
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	dir := t.TempDir()
	cert, key := localhost(t, dir)
	a := &authority{t: t, api: addr(t), manage: addr(t), root: cert, dns: addr(t), secure: addr(t), plain: addr(t), config: filepath.Join(dir, "pebble.json")}
	config := fmt.Sprintf(`{"pebble": {"listenAddress": %q, "managementListenAddress": %q, "certificate": %q, "privateKey": %q,
		"httpPort": %s, "tlsPort": %s, "keyAlgorithm": "ecdsa", "retryAfter": {"authz": 1, "order": 1},
		"profiles": {"default": {"description": "default", "validityPeriod": 7776000}}}}`,
		a.api, a.manage, cert, key, port(a.plain), port(a.secure))
	if err := os.WriteFile(a.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "dns", "-dnsserver", a.dns, "-management", addr(t), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-doh", "", "-tlsalpn01", "")
	return a
}

func (a *authority) start() *authority {
	a.t.Helper()
	env := []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0", "PEBBLE_AUTHZREUSE=0"}
	a.process = run(a.t, env, "pebble", "-config", a.config, "-dnsserver", a.dns)
	until(a.t, "pebble listens", func() bool { return connects(a.api) && connects(a.manage) })
	return a
}

// orders is how many it was sent.
func (a *authority) orders() int { return a.count(`POST /order-plz `) }
