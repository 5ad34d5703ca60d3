package app

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// others are the application in languages that have no library of ours, where
// they are installed.
func others(t *testing.T) map[string]http.RoundTripper {
	found := map[string]http.RoundTripper{}
	for program, file := range map[string]string{"python3": "testdata/counter.py", "node": "testdata/counter.js"} {
		if err := exec.Command(program, "--version").Run(); err != nil {
			t.Logf("NOT TESTED: %s: %v", program, err)
			continue
		}
		found[program+", behind"] = slow(t, proxy(sessions(t), foreign(t, program, file)))
	}
	return found
}

// foreign starts a program that tells its port first.
func foreign(t *testing.T, program, file string) http.RoundTripper {
	t.Helper()
	cmd := exec.Command(program, file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%s %s: no port: %v", program, file, err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+strings.TrimSpace(port))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}
