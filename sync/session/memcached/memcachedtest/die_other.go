//go:build !linux

package memcachedtest

import "syscall"

var dieWithUs *syscall.SysProcAttr
