package certs

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"multiserver/proxy/certs/certstest"
	"multiserver/sync/daemon"
)

// openssl runs the program by which operators make their keys.
func openssl(t testing.TB, args ...string) {
	t.Helper()
	daemon.Need(t, "openssl")
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %s", strings.Join(args, " "), out)
	}
}

func TestEncryptedKeysAreOpened(t *testing.T) {
	dir := t.TempDir()
	cert, key := certstest.NewCA(t).Files(dir, "a", "a.test")
	words := filepath.Join(dir, "words")
	os.WriteFile(words, []byte("wrong\n\r\ncorrect horse\r\n"), 0o600)
	f := func(want string, args ...string) {
		t.Helper()
		sealed := filepath.Join(dir, "sealed")
		openssl(t, append(args, "-in", key, "-out", sealed, "-passout", "pass:correct horse")...)
		_, err := Pair{cert, sealed, words}.Load()
		if got := reason(err); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%v: %q, want %q", args, got, want)
		}
	}
	f("", "pkcs8", "-topk8") // what it does by itself
	f("", "pkcs8", "-topk8", "-v2", "aes128")
	f("", "pkcs8", "-topk8", "-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA1")
	f("", "pkcs8", "-topk8", "-v2", "aes256", "-v2prf", "hmacWithSHA512", "-iter", "10000")
	f("", "pkcs8", "-topk8", "-v2", "des3")
	f("", "ec", "-aes256") // with DEK-Info
	f("not supported", "pkcs8", "-topk8", "-scrypt")
	f("not supported", "pkcs8", "-topk8", "-v1", "PBE-SHA1-3DES")
	os.WriteFile(words, []byte("wrong\n"), 0o600)
	f("no passphrase in "+words+" opens it", "pkcs8", "-topk8")
	f("no passphrase in "+words+" opens it", "ec", "-aes256")
	os.Remove(words)
	f("no such file", "pkcs8", "-topk8")
	words = ""
	f("there is no file of passphrases", "pkcs8", "-topk8")
}

func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestKeysOfAllFormsAreRead(t *testing.T) {
	dir := t.TempDir()
	for _, alg := range []string{"rsa:2048", "ec", "ed25519"} {
		key, cert := filepath.Join(dir, "key"), filepath.Join(dir, "cert")
		args := []string{"req", "-x509", "-newkey", alg, "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=a.test"}
		if alg == "ec" {
			args = append(args, "-pkeyopt", "ec_paramgen_curve:P-256")
		}
		openssl(t, args...)
		c, err := Pair{Cert: cert, Key: key}.Load()
		if err != nil {
			t.Errorf("%s: %v", alg, err)
			continue
		}
		if n := names(c.Leaf); len(n) != 1 || n[0] != "a.test" {
			t.Errorf("%s: for %v", alg, n)
		}
	}
}

// FuzzOpenPKCS8: whatever is in the file, it is a key or an error.
func FuzzOpenPKCS8(f *testing.F) {
	text, err := os.ReadFile("../config/testdata/tls/sealed.key")
	if err != nil {
		f.Fatal(err)
	}
	block, _ := pem.Decode(text)
	f.Add(block.Bytes)
	f.Fuzz(func(t *testing.T, der []byte) {
		var k sealedKey
		var p pbes2
		var d derivation
		if parse(der, &k) == nil && parse(k.Algorithm.Parameters.FullBytes, &p) == nil &&
			parse(p.Derivation.Parameters.FullBytes, &d) == nil && d.Iterations > 1<<14 {
			t.Skip("slow, as it is meant to be")
		}
		clear, err := openPKCS8(der, []byte("correct"))
		if err != nil {
			return
		}
		if _, err := x509.ParsePKCS8PrivateKey(clear); err != nil && !parses(clear) {
			t.Errorf("no key: %x", clear)
		}
	})
}
