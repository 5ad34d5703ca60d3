package proxy_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Where there are no descriptors left for a pipe, a long body is copied. The
// limit is of a process of its own, for it holds for all that it does.
func TestLongBodiesPassWithoutPipes(t *testing.T) {
	const alone = "MULTISERVER_TEST_WITHOUT_PIPES"
	if os.Getenv(alone) == "" {
		c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		c.Env = append(os.Environ(), alone+"=1")
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	body := make([]byte, 1<<20)
	for i := range body {
		body[i] = byte(rand.Uint32())
	}
	client := dial(t, startProxy(t, startSizes(t, body)))
	answer := bufio.NewReader(client)
	ask(t, client, answer, body[:9]) // now there are all connections
	defer exhaust(t)()
	for range 3 {
		ask(t, client, answer, body)
	}
}

// startSizes answers GET /N with N bytes of body.
func startSizes(t *testing.T, body []byte) (addr string) {
	return listen(t, func(nc net.Conn) {
		defer nc.Close()
		for in := bufio.NewReader(nc); ; {
			q, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			var n int
			fmt.Sscanf(q.URL.Path, "/%d", &n)
			fmt.Fprintf(nc, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", n, body[:n])
		}
	})
}

func ask(t *testing.T, c net.Conn, in *bufio.Reader, want []byte) {
	t.Helper()
	fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", len(want))
	res, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s: %d of %d bytes, %v", strings.TrimSpace(res.Status), len(got), len(want), err)
	}
}

// exhaust leaves no descriptor, until it is taken back.
func exhaust(t *testing.T) (free func()) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	before := limit
	limit.Cur = min(limit.Cur, 1000)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := syscall.Open(os.DevNull, syscall.O_RDONLY, 0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	return func() {
		for _, fd := range taken {
			syscall.Close(fd)
		}
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before)
	}
}
