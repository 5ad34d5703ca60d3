//go:build linux

package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

//go:embed wrk.lua
var wrkScript []byte

// A Load is what wrk did and saw in one round.
type Load struct {
	Requests int64 `json:"requests"` // answered in full
	Bytes    int64 `json:"bytes"`    // read, of answers cut by the end of the round too
	Micros   int64 `json:"us"`       // how long it lasted
	P50      int64 `json:"p50"`      // latencies in microseconds
	P90      int64 `json:"p90"`
	P99      int64 `json:"p99"`
	Max      int64 `json:"max"`
	Connect  int64 `json:"connect"` // failures
	Read     int64 `json:"read"`
	Write    int64 `json:"write"`
	Timeout  int64 `json:"timeout"`
	Status   int64 `json:"status"` // answers of 400 and above

	CPU time.Duration `json:"-"` // of wrk itself
}

// fault says in words why the round does not count, or "".
func (l *Load) fault() string {
	if l.Requests == 0 && l.Bytes == 0 { // a part of a long one counts
		return "no request was answered"
	}
	if l.Connect+l.Read+l.Write+l.Timeout+l.Status == 0 {
		return ""
	}
	return fmt.Sprintf("failed to connect %d, read %d, write %d; timed out %d; status 400 or above %d",
		l.Connect, l.Read, l.Write, l.Timeout, l.Status)
}

// A Wrk is a load under way.
type Wrk struct {
	cmd    *exec.Cmd
	out    bytes.Buffer
	ctx    context.Context
	cancel context.CancelFunc
}

// load starts wrk against port for the given time, in whole seconds.
func load(ctx context.Context, cpus, script string, s Scenario, port int, d time.Duration) (*Wrk, error) {
	w := new(Wrk)
	// wrk ends by itself; the deadline is for the case that it does not.
	w.ctx, w.cancel = context.WithTimeout(ctx, d+time.Minute)
	w.cmd = exec.CommandContext(w.ctx, "taskset", "-c", cpus, "wrk", "-t1", "-c", strconv.Itoa(s.Conns),
		"-d", fmt.Sprintf("%ds", int(d.Seconds())), "--timeout", "60s", "--latency", "-s", script,
		fmt.Sprintf("http://127.0.0.1:%d%s", port, s.Path), "--", s.Method, strconv.Itoa(s.Body), strconv.Itoa(s.URLs), strconv.Itoa(s.Miss))
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.out
	if err := w.cmd.Start(); err != nil {
		w.cancel()
		return nil, fmt.Errorf("start wrk: %w", err)
	}
	return w, nil
}

// halt and resume stop the load for a while; its clock goes on, so its latencies are then void.
func (w *Wrk) halt()   { w.cmd.Process.Signal(syscall.SIGSTOP) }
func (w *Wrk) resume() { w.cmd.Process.Signal(syscall.SIGCONT) }

// drop ends the load without a result.
func (w *Wrk) drop() {
	w.cancel() // SIGKILL, which a halted process obeys too
	w.cmd.Wait()
}

// wait returns the result when the load's time is over.
func (w *Wrk) wait() (*Load, error) {
	defer w.cancel()
	if err := w.cmd.Wait(); err != nil {
		if w.ctx.Err() != nil {
			return nil, w.ctx.Err()
		}
		return nil, fmt.Errorf("wrk: %w: %s", err, w.out.Bytes())
	}
	l, err := parseWrk(w.out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("wrk: %w:\n%s", err, w.out.Bytes())
	}
	l.CPU = w.cmd.ProcessState.UserTime() + w.cmd.ProcessState.SystemTime()
	return l, nil
}

// parseWrk finds the line of JSON that wrk.lua printed after wrk's own report.
func parseWrk(out []byte) (*Load, error) {
	for line := range bytes.Lines(out) {
		if bytes.HasPrefix(line, []byte("{")) {
			l := new(Load)
			if err := json.Unmarshal(line, l); err != nil {
				return nil, fmt.Errorf("result: %w", err)
			}
			return l, nil
		}
	}
	return nil, errors.New("no result in its output")
}
