//go:build !linux

package mongodbtest

import "syscall"

var dieWithUs *syscall.SysProcAttr
