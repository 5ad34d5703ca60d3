package mongodbtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// program is built once in a process, and kept by Go's build cache.
var program = sync.OnceValues(func() (path string, err error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list: %w", err)
	}
	cmd := exec.Command("go", "tool", "-n", "mongotest") // builds it, and tells where it is
	cmd.Dir = filepath.Join(strings.TrimSpace(string(root)), "sync/session/mongotest")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-tags=ferretdb_no_postgresql")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go tool -n mongotest: %w\n%s", err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
})
