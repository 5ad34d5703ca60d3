//go:build unix

package examples

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"multiserver/sync/daemon"
)

// Several processes of a chat that nobody prepared are one room.
func TestChatsAreOneRoom(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "multiserver")
	if out, err := exec.Command("go", "build", "-o", bin, "multiserver").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f := func(name string, app func(t *testing.T) []string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			events := filepath.Join(t.TempDir(), "events")
			url := serve(t, bin, app(t), "--hub", "/chat", "--hub-mode", "bridge", "--spawn-hook", "cat >> "+events)
			ready(t, events)
			chat(t, url)
		})
	}
	f("node", chatNode)
	f("python", chatPython)
}

// chatNode installs what the app needs, as its README says, beside a copy of it.
func chatNode(t *testing.T) []string {
	daemon.Need(t, "npm")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("chat-node")); err != nil {
		t.Fatal(err)
	}
	for try := range 2 { // a registry may be slow, or away for a moment
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		cmd := exec.CommandContext(ctx, "npm", "ci", "--prefer-offline", "--no-audit", "--no-fund")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		cancel()
		if err == nil {
			break
		}
		if try == 1 {
			daemon.Missing(t, "npm ci in chat-node: ", err, "\n", string(out))
		}
	}
	return []string{"node", filepath.Join(dir, "app.js")}
}

// chatPython finds a Python that has the library: the one that comes first, or
// the system's, where scripts/test installs it.
func chatPython(t *testing.T) []string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import websockets").Run() == nil {
			return []string{python, "chat-python/app.py"}
		}
	}
	daemon.Missing(t, "Python's websockets; scripts/test installs it")
	return nil
}

// ready waits for both processes.
func ready(t *testing.T, events string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		text, _ := os.ReadFile(events)
		if strings.Count(string(text), `"ready"`) == 2 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not ready: %s", text)
		}
	}
}

// person is one of the chat, and what they hear.
type person struct {
	*websocket.Conn
	heard chan string
}

// chat has six people, of whom each says something that all hear once.
func chat(t *testing.T, url string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	people := make([]person, 6)
	for i := range people {
		c, _, err := websocket.Dial(ctx, strings.Replace(url, "http", "ws", 1)+"/chat", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		people[i] = person{c, make(chan string, 10_000)}
		go people[i].listen(ctx)
	}
	for i := range people {
		people[i].greet(ctx, t, people, fmt.Sprint("is ", i, " heard?"))
	}
	for i := range people {
		text := fmt.Sprint(i, " says hello")
		people[i].say(ctx, t, text)
		for j := range people {
			if got := people[j].hears(ctx); got != text {
				t.Fatalf("%d hears %q, want %q", j, got, text)
			}
		}
	}
}

func (p *person) listen(ctx context.Context) {
	defer close(p.heard)
	for {
		_, b, err := p.Read(ctx)
		if err != nil {
			return
		}
		p.heard <- string(b)
	}
}

func (p *person) say(ctx context.Context, t *testing.T, text string) {
	t.Helper()
	if err := p.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// greet says something until all have heard it: what is said while the silent
// connections are not there yet is lost to some.
func (p *person) greet(ctx context.Context, t *testing.T, all []person, text string) {
	t.Helper()
	for i := range all {
		for p.say(ctx, t, text); !all[i].heardOf(text); p.say(ctx, t, text) {
			if ctx.Err() != nil {
				t.Fatal(i, " does not hear it: ", text)
			}
		}
	}
}

// heardOf takes what there is, up to a text, and waits a moment for that. To say
// it anew for each thing heard would be more and more of it.
func (p *person) heardOf(text string) bool {
	late := time.After(200 * time.Millisecond)
	for {
		select {
		case heard, ok := <-p.heard:
			if heard == text || !ok {
				return ok
			}
		case <-late:
			return false
		}
	}
}

// hears is what comes next, but for greetings.
func (p *person) hears(ctx context.Context) string {
	for {
		select {
		case text, ok := <-p.heard:
			if !ok || !strings.HasSuffix(text, "?") {
				return text
			}
		case <-ctx.Done():
			return "nothing"
		}
	}
}
