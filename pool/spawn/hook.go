package spawn

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// hookTimeout bounds what a hook takes: events wait behind it.
const hookTimeout = 10 * time.Second

// tell hands all events to the hook, one by one, until ctx is done; what
// happened until then is told within a time-out more.
func (a *App) tell(ctx context.Context, events <-chan Event) {
	last := uint64(0)
	give := func(within context.Context, e Event) {
		if last > 0 {
			a.Stats.Unheard.Add(e.Seq - last - 1)
		}
		last = e.Seq
		if e.App == a.opt.Name {
			a.hand(within, e)
		}
	}
	for ctx.Err() == nil {
		select {
		case e := <-events:
			give(context.Background(), e)
		case <-ctx.Done():
		}
	}
	rest, cancel := context.WithTimeout(context.Background(), hookTimeout)
	defer cancel()
	for {
		select {
		case e := <-events:
			give(rest, e)
		default:
			return
		}
	}
}

func (a *App) hand(ctx context.Context, e Event) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	text, _ := json.Marshal(e)
	do := a.run
	if isURL(a.opt.Hook) {
		do = a.send
	}
	if err := do(ctx, e, text); err != nil {
		a.Stats.Unheard.Add(1)
		a.opt.Log.Warn("hook failed", "app", a.opt.Name, "event", string(e.Kind), "cause", err)
	}
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

func (a *App) send(ctx context.Context, _ Event, text []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.opt.Hook, bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close()
	if res.StatusCode > 299 {
		return fmt.Errorf("%s answers %s", req.URL.Host, res.Status)
	}
	return nil
}

// run has sh run the command, the event on its standard input.
func (a *App) run(ctx context.Context, e Event, text []byte) error {
	cmd := exec.CommandContext(ctx, "sh", "-c", a.opt.Hook)
	cmd.Dir = a.opt.Dir
	for _, v := range os.Environ() {
		if !ours(v) {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "MULTISERVER_EVENT="+string(e.Kind), fmt.Sprint("MULTISERVER_INSTANCE=", e.Instance), markName+"="+a.mark+".hook")
	cmd.Stdin = bytes.NewReader(append(text, '\n'))
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) > 0 {
		line, _, _ := strings.Cut(string(out[:min(len(out), 300)]), "\n")
		return fmt.Errorf("%w: %s", err, line)
	}
	return err
}
