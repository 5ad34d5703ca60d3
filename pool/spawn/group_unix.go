//go:build unix

package spawn

import (
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

const handsOver = true

func executable(info fs.FileInfo) bool { return info.Mode()&0o111 != 0 }

// apart is for a process that our terminal's signals do not reach.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// attributes make a child the leader of a group: what it begins can be told
// and killed with it, and Ctrl-C is for us alone.
func attributes(as *owner) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as != nil && int(as.uid) != os.Getuid() {
		attr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid, Groups: as.groups}
	}
	dieWithParent(attr)
	return attr
}

func signalGroup(pid int, s syscall.Signal) { _ = syscall.Kill(-pid, s) }
func killGroup(pid int)                     { signalGroup(pid, syscall.SIGKILL) }

// groupLives tells whether anybody is left in a group. A leader that has been
// waited for is not.
func groupLives(pid int) bool { return syscall.Kill(-pid, 0) == nil }

// handOver has a program run by way of ourselves: LISTEN_PID is the number of
// the process that is to take the listener (sd_listen_fds(3)), which nobody
// knows before it is there.
func handOver(path string, args, env []string) (string, []string, []string) {
	return ourselves(), append([]string{handName, path}, args...), env
}

// handOverMain becomes the program: its path, and its arguments from 0.
func handOverMain(args []string) error {
	if len(args) < 2 {
		return syscall.EINVAL
	}
	return syscall.Exec(args[0], args[1:], append(os.Environ(), "LISTEN_PID="+strconv.Itoa(os.Getpid())))
}
