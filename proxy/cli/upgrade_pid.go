package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// pidFile is a file with the number of the process that serves; "": none.
type pidFile string

// write puts ours into it at once: nobody reads half of it.
func (p pidFile) write() error {
	if p == "" {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(string(p)), ".pid-")
	if err != nil {
		return fmt.Errorf("--pid-file: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = fmt.Fprintln(f, os.Getpid())
	if err == nil {
		err = f.Chmod(0o644)
	}
	if failed := f.Close(); err == nil {
		err = failed
	}
	if err == nil {
		err = os.Rename(f.Name(), string(p))
	}
	if err != nil {
		return fmt.Errorf("--pid-file: %w", err)
	}
	return nil
}

// read is the process that it names.
func (p pidFile) read() (pid int, err error) {
	text, err := os.ReadFile(string(p))
	if err != nil {
		return 0, err
	}
	pid, err = strconv.Atoi(string(bytes.TrimSpace(text)))
	if err != nil || pid < 2 {
		return 0, fmt.Errorf("%s: %q is no process", p, text)
	}
	return pid, nil
}

// remove takes it away if it is ours still.
func (p pidFile) remove() {
	if pid, err := p.read(); err == nil && pid == os.Getpid() {
		_ = os.Remove(string(p))
	}
}
