//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	startTimes = 20
	startGoal  = 50 * time.Millisecond
	sizeGoal   = 30e6
)

// starts measures what there is before any load: how soon after its start a server answers, and how
// large its program is, ours without symbols.
func starts(ctx context.Context, f *Field) error {
	if err := f.invite(ctx, "nginx,haproxy,varnish,caddy,traefik"); err != nil {
		return err
	}
	defer f.Bench.close()
	f.table = [][]string{{"server", "start_ms_median", "start_ms_low", "start_ms_high", "program_bytes"}}
	rows := [][]string{{"server", "ms until the first answer", "program, MB"}}
	for _, s := range f.Servers {
		took, err := f.startOften(ctx, s)
		if err != nil {
			fmt.Fprintf(f, "%s is left out: %s\n", s.Name, firstLine(err))
			continue
		}
		size, err := f.programSize(ctx, s)
		if err != nil {
			return err
		}
		fig := figureOf("%.1f", took)
		f.table = append(f.table, []string{s.Name, fig.median, fig.low, fig.high, fmt.Sprint(size)})
		rows = append(rows, []string{s.Name, fig.String(), fixed(float64(size)/1e6, 1)})
		if s.Ours {
			defer f.promise(middle(took) <= startGoal.Seconds()*1e3, "answers %.0f ms after its start", middle(took))
			defer f.promise(size <= sizeGoal, "the program is %.1f MB", float64(size)/1e6)
		}
	}
	f.lines(rows)
	return nil
}

// startOften is how long each start took, in ms.
func (f *Field) startOften(ctx context.Context, s *Server) (took []float64, err error) {
	for range startTimes {
		d, err := f.startOnce(s)
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		took = append(took, float64(d)/1e6)
	}
	return took, nil
}

// startOnce is from the start of a process to its answer to a request.
func (f *Field) startOnce(s *Server) (time.Duration, error) {
	began := time.Now()
	r, err := f.startServer(Entry{s, Scenario{Name: "start"}})
	if err != nil {
		return 0, err
	}
	defer r.Process.stop()
	err = retry(func() error {
		c, err := openPlain(f, r.addr())
		closeAll([]net.Conn{c})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", s.Name, err)
	}
	return time.Since(began), nil
}

// programSize is of the file; ours is built once more as a release is.
func (f *Field) programSize(ctx context.Context, s *Server) (int64, error) {
	path := s.Path
	if s.Ours {
		root, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}")
		if err != nil {
			return 0, err
		}
		path = filepath.Join(f.Dir, "stripped")
		if _, err := output(ctx, root, "env", "CGO_ENABLED=0", "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "."); err != nil {
			return 0, err
		}
	}
	found, err := output(ctx, "", "sh", "-c", "command -v "+path)
	if err != nil {
		return 0, err
	}
	i, err := os.Stat(strings.TrimSpace(found))
	if err != nil {
		return 0, err
	}
	return i.Size(), nil
}
