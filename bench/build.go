//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// buildFloor compiles floor.c: by the C compiler's usual level, as the peers were.
func buildFloor(ctx context.Context, dir string) (string, error) {
	src, bin := filepath.Join(dir, "floor.c"), filepath.Join(dir, "floor")
	if err := os.WriteFile(src, floorSource, 0o644); err != nil {
		return "", err
	}
	_, err := output(ctx, "", "cc", "-O2", "-o", bin, src)
	return bin, err
}

// buildHere builds the module as it lies here, by plain go build: default.pgo counts.
func buildHere(ctx context.Context, name, dir string) (string, error) {
	root, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return "", err
	}
	return goBuild(ctx, name, root, dir, ".")
}

// buildCommit builds the module as it was, from a copy that leaves the work tree alone.
func buildCommit(ctx context.Context, name, commit, dir string) (string, error) {
	root, err := output(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return "", err
	}
	src := filepath.Join(dir, "src-"+name)
	if err := os.Mkdir(src, 0o755); err != nil {
		return "", err
	}
	tar := src + ".tar"
	if _, err := output(ctx, root, "git", "archive", "-o", tar, commit); err != nil {
		return "", err
	}
	if _, err := output(ctx, src, "tar", "xf", tar); err != nil {
		return "", err
	}
	return goBuild(ctx, name, src, dir, ".")
}

// goBuild builds a program of the module in src; dir has what comes of it.
func goBuild(ctx context.Context, name, src, dir, program string) (string, error) {
	bin := filepath.Join(dir, "bin-"+name)
	if _, err := output(ctx, src, "go", "build", "-o", bin, program); err != nil {
		return "", fmt.Errorf("%s does not build: %w\n(-binary PATH takes one already built, -servers leaves it out)", name, err)
	}
	return bin, nil
}

// output runs a command in a folder and returns what it printed.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, text)
	}
	return text, nil
}
