package cluster

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is far more than anything here takes; it ends a test that hangs.
const patience = 30 * time.Second

// A node is the program, running.
type node struct {
	t    testing.TB
	name string
	url  string
	cmd  *exec.Cmd
	log  string // the file it logs to
	gone chan struct{}
	http http.Client
}

var (
	listening = regexp.MustCompile(`msg=listening addr=(\S+)`)
	redisUp   = regexp.MustCompile(`msg="redis up"`)
	redisAway = regexp.MustCompile(`msg="redis away`)
)

// start starts a node with a cache before o, and waits until it has found
// Redis. Flags that are given win.
func start(t testing.TB, name string, o *origin, redis string, flags ...string) *node {
	t.Helper()
	n := &node{t: t, name: name, log: filepath.Join(t.TempDir(), name+".log"), gone: make(chan struct{})}
	args := []string{"--listen", "127.0.0.1:0", "--upstream", o.URL, "--cache", "64MiB", "--redis", redis}
	n.cmd = exec.Command(binary, append(args, flags...)...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MULTISERVER_") {
			n.cmd.Env = append(n.cmd.Env, v)
		}
	}
	// A busy machine is late at times, and who does not get an answer from Redis goes alone.
	n.cmd.Env = append(n.cmd.Env, "MULTISERVER_REDIS_TIMEOUT=500ms")
	out, err := os.Create(n.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	n.cmd.Stdout, n.cmd.Stderr = out, out
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		n.cmd.Wait()
		close(n.gone)
	}()
	t.Cleanup(n.end)
	n.url = "http://" + n.logs(listening, 1)
	n.logs(redisUp, 1)
	dialer := net.Dialer{Timeout: patience}
	n.http = http.Client{Timeout: patience, Transport: &http.Transport{DisableCompression: true,
		MaxIdleConns: 2000, MaxIdleConnsPerHost: 2000, DialContext: dialer.DialContext}}
	return n
}

// three starts three nodes.
func three(t testing.TB, o *origin, redis string, flags ...string) (all []*node) {
	t.Helper()
	all = make([]*node, 3)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i] = start(t, string("ABC"[i]), o, redis, flags...) })
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

func (n *node) end() {
	n.kill()
	n.http.CloseIdleConnections()
	text, _ := os.ReadFile(n.log)
	if strings.Contains(string(text), "BUG: ") || strings.Contains(string(text), "DATA RACE") {
		n.t.Errorf("node %s is not well", n.name)
	}
	if n.t.Failed() {
		n.t.Logf("%s logged:\n%s", n.name, text[max(0, len(text)-4000):])
	}
}

// kill ends it as a crash does.
func (n *node) kill() {
	n.cmd.Process.Kill()
	<-n.gone
}

// logs waits until a line is there for the given time, and gives the last
// group of that one.
func (n *node) logs(line *regexp.Regexp, times int) string {
	n.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		text, _ := os.ReadFile(n.log)
		if all := line.FindAllSubmatch(text, times); len(all) == times {
			return string(all[times-1][len(all[times-1])-1])
		}
		select {
		case <-n.gone:
			text, _ := os.ReadFile(n.log)
			n.t.Fatalf("%s has ended: %s", n.name, text)
		default:
		}
	}
	text, _ := os.ReadFile(n.log)
	n.t.Errorf("%s: not logged %d times: %v; it logged:\n%s", n.name, times, line, text)
	return ""
}

// reply is an answer, whole.
type reply struct {
	status  int
	header  http.Header
	length  int
	version int
	variant string
	ours    bool // the whole body is that of this version and variant of what was asked for
	err     error
	took    time.Duration
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (n *node) ask(ctx context.Context, method, uri string, fields ...string) (r reply) {
	began := time.Now()
	defer func() { r.took = time.Since(began) }()
	q, err := http.NewRequestWithContext(ctx, method, n.url+uri, nil)
	if err != nil {
		return reply{err: err}
	}
	q.Host = "site.test" // to all nodes the same: it is a part of what is asked for
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		q.Header.Set(name, value)
	}
	res, err := n.http.Do(q)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	b := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(b)
	b.Reset()
	_, err = b.ReadFrom(res.Body)
	r = reply{status: res.StatusCode, header: res.Header, length: b.Len(), err: err}
	r.version, r.variant, r.ours = read(uri, b.Bytes())
	return r
}

func (n *node) get(uri string, fields ...string) reply {
	return n.ask(context.Background(), "GET", uri, fields...)
}

// wants asks and checks that the answer is version of uri.
func (n *node) wants(uri string, version int, fields ...string) reply {
	n.t.Helper()
	r := n.get(uri, fields...)
	if wrong := r.wrong(uri, version); wrong != "" {
		n.t.Errorf("%s: GET %s: %s", n.name, uri, wrong)
	}
	return r
}

// change changes what uri is, by an unsafe request through this node.
func (n *node) change(uri string) (version int) {
	n.t.Helper()
	r := n.ask(context.Background(), "POST", uri)
	version, err := strconv.Atoi(r.header.Get("X-Version"))
	if r.status != 200 || err != nil {
		n.t.Errorf("%s: POST %s: %d %v %v", n.name, uri, r.status, r.err, err)
	}
	return version
}

// wrong says what is wrong with an answer that should be version of uri, or any
// if that is 0.
func (r *reply) wrong(uri string, version int) string {
	if r.err != nil {
		return r.err.Error()
	}
	if r.status != 200 {
		return fmt.Sprint("status ", r.status)
	}
	switch {
	case !r.ours:
		return fmt.Sprintf("a body of %d bytes that is not that of this URL", r.length)
	case version != 0 && r.version != version:
		return fmt.Sprintf("version %d, want %d", r.version, version)
	}
	return ""
}

// memory is what the process takes, in MiB.
func (n *node) memory() int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", n.cmd.Process.Pid))
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
	return kb >> 10
}
