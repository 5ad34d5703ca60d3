//go:build !unix

package spawn

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Without signals and groups a child is ended, and what it began is not.

const countsMemory, handsOver = false, false

func executable(fs.FileInfo) bool { return true }

func ourselves() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

func apart() *syscall.SysProcAttr            { return nil }
func attributes(*owner) *syscall.SysProcAttr { return nil }
func signalGroup(pid int, _ syscall.Signal)  { killGroup(pid) }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}

func groupLives(int) bool      { return false }
func sweep(string) []int       { return nil }
func memory() map[int]int64    { return nil }
func group(int) []int          { return nil }
func listeners([]int) []string { return nil }

func handOver(path string, args, env []string) (string, []string, []string) { return path, args, env }
func handOverMain([]string) error                                           { return errors.ErrUnsupported }
