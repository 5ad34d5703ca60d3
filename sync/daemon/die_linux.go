package daemon

import "syscall"

// dieWithUs: a test that is killed cannot stop what it has started.
var dieWithUs = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
