//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profile gives each of ours one more turn under the profiler, after the rounds that count:
// the sampling signals cost time of their own.
func (b *Bench) profile(ctx context.Context, line []*runner) error {
	if b.Profiles == "" {
		return nil
	}
	for _, r := range line {
		if !r.Ours {
			continue
		}
		path := filepath.Join(b.Profiles, r.asked.Name+"-"+r.Server.Name+".pprof")
		w, err := b.load(ctx, r, b.Time+time.Second)
		if err != nil {
			return err
		}
		err = fetchProfile(ctx, r.admin, b.Time, path)
		if _, failed := w.wait(); err == nil {
			err = failed
		}
		if err != nil {
			return fmt.Errorf("profile of %s in %s: %w", r.Server.Name, r.asked.Name, err)
		}
		b.Log("%s\n", path)
	}
	return nil
}

func fetchProfile(ctx context.Context, admin int, d time.Duration, path string) error {
	ctx, cancel := context.WithTimeout(ctx, d+5*time.Second)
	defer cancel()
	url := fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/profile?seconds=%d", admin, int(d.Seconds()))
	req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != 200 {
		return fmt.Errorf("%s: %s: %.200s", url, res.Status, body)
	}
	return os.WriteFile(path, body, 0o644)
}
