package server

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAReloadChangesTheAccessLogAndNoLineIsLost(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	combined := "upstream: $x\naccess-log: " + one + "\n"
	object := "upstream: $x\naccess-log: " + two + "\naccess-log-format: json\naccess-log-fields: [uri]\n"
	s := startReloadable(t, combined)
	var work sync.WaitGroup
	var asked atomic.Int64
	over := make(chan struct{})
	for range 3 {
		work.Go(func() {
			c := s.dial(t)
			for open := true; open; asked.Add(1) {
				c.want("/", "200 x /")
				select {
				case <-over:
					open = false
				default:
				}
			}
		})
	}
	for i := range 20 {
		before := asked.Load()
		if done := s.change([]string{object, combined}[i%2]); len(done.Later) > 0 {
			t.Errorf("later: %v", done.Later)
		}
		await(t, "some to be asked", func() bool { return asked.Load() > before })
	}
	close(over)
	work.Wait()
	s.stop()
	s.wait(t)
	lines := 0
	for path, form := range map[string]string{one: "127.0.0.1 - - [", two: `{"uri":"/"}`} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if lines++; !strings.HasPrefix(string(line), form) || !bytes.HasSuffix(line, []byte("\n")) {
				t.Fatalf("%s has the line %q", path, line)
			}
		}
	}
	if int64(lines) != asked.Load() {
		t.Errorf("%d lines of %d requests", lines, asked.Load())
	}
}

func TestAReloadTurnsTheAccessLogOnAndOff(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	on := "upstream: $x\naccess-log: " + path + "\naccess-log-format: json\naccess-log-fields: [uri, duration]\n"
	s := startReloadable(t, "upstream: $x\n")
	s.says("/before", "200 x /before")
	s.change(on)
	s.says("/on", "200 x /on")
	s.change("upstream: $x\n")
	s.says("/off", "200 x /off")
	s.change(strings.Replace(on, "json", "combined", 1))
	s.says("/again", "200 x /again")
	s.write("upstream: $x\naccess-log: " + filepath.Dir(path) + "/none/log\n")
	if _, err := s.Reload(); err == nil || !strings.Contains(err.Error(), "access-log") {
		t.Errorf("a file that cannot be: %v", err)
	}
	s.says("/still", "200 x /still")
	s.stop()
	s.wait(t)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"uri":"/on","duration":0.`, `"GET /again `, `"GET /still `} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, not := range []string{"/before", "/off"} {
		if bytes.Contains(text, []byte(not)) {
			t.Errorf("%s in\n%s", not, text)
		}
	}
}

func TestAReloadChangesToSyslog(t *testing.T) {
	at := filepath.Join(t.TempDir(), "syslog")
	pc, err := net.ListenPacket("unixgram", at)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	s := startReloadable(t, "upstream: $x\naccess-log: "+filepath.Join(t.TempDir(), "log")+"\n")
	s.change(fmt.Sprintf("upstream: $x\naccess-log: syslog+unix:%s\n", at))
	s.says("/", "200 x /")
	if got := heard(t, pc); !strings.Contains(got, ` access - 127.0.0.1 - - [`) {
		t.Errorf("heard %q", got)
	}
}

// heard is the next message.
func heard(t *testing.T, pc net.PacketConn) string {
	t.Helper()
	got := make(chan string, 1)
	go func() {
		buf := make([]byte, 64<<10)
		n, _, err := pc.ReadFrom(buf)
		if err != nil {
			got <- err.Error()
			return
		}
		got <- string(buf[:n])
	}()
	var text string
	await(t, "a message", func() bool {
		select {
		case text = <-got:
			return true
		default:
			return false
		}
	})
	return text
}
