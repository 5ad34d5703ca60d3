package wire

import (
	"sync"
	"syscall"
)

// pipe is a pair of descriptors that bytes go through from one socket to
// another. Pipes are pooled empty; making one costs three system calls. One is
// taken when there is something to hold, so that there are as many as clients
// that are slow, and not as bodies that are under way.
type pipe struct{ r, w int }

// pipeSize is the most that a pipe holds for a slow reader. Beyond the pages
// that the kernel grants a user (64 MiB, all his pipes together, as a rule) he
// gets pipes of a page or two, through which nobody wants to pass a body.
// Of 1 MiB pipes there could be 64; and they are no faster.
const pipeSize = 256 << 10

const maxPipes = 64

var pipes = struct {
	sync.Mutex
	free []pipe
	none bool // of a test: there are none to be had
}{}

// acquirePipe fails with ErrNoPipe.
func acquirePipe() (pipe, error) {
	pipes.Lock()
	if n := len(pipes.free); n > 0 {
		p := pipes.free[n-1]
		pipes.free = pipes.free[:n-1]
		pipes.Unlock()
		return p, nil
	}
	none := pipes.none
	pipes.Unlock()
	if none {
		return pipe{}, ErrNoPipe
	}
	return newPipe()
}

func newPipe() (pipe, error) {
	var fds [2]int
	if syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK) != nil {
		return pipe{}, ErrNoPipe
	}
	p := pipe{fds[0], fds[1]}
	const setSize = 1031 // F_SETPIPE_SZ
	if size, _, _ := syscall.Syscall(syscall.SYS_FCNTL, uintptr(p.w), setSize, pipeSize); int(size) < pipeSize {
		p.close()
		return pipe{}, ErrNoPipe
	}
	return p, nil
}

// release takes back a pipe that is empty. One that is not must not meet
// another body: close it.
func (p pipe) release() {
	pipes.Lock()
	if len(pipes.free) < maxPipes {
		pipes.free = append(pipes.free, p)
		pipes.Unlock()
		return
	}
	pipes.Unlock()
	p.close()
}

func (p pipe) close() {
	syscall.Close(p.r)
	syscall.Close(p.w)
}
