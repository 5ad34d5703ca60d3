//go:build !linux

package daemon

import "syscall"

var dieWithUs *syscall.SysProcAttr
